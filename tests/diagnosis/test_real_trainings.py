"""Faults planted in real trainings are found by name, and a sound training is left alone."""

CURVE_FINDINGS = {
    "diverged",
    "early-instability",
    "gradient-spikes",
    "oscillating",
    "late-jitter",
    "overfitting",
    "underfitting",
    "slow",
    "still-improving",
    "best-early",
}


def test_a_sound_training_has_no_curve_finding(trained, names):
    assert not names(trained("AdamW", 2e-3, epochs=15, size=1200, decays=True)) & CURVE_FINDINGS


def test_a_rate_too_small_is_slow_and_still_improving(trained, names):
    assert {"slow", "still-improving"} <= names(trained("SGD", 3e-3))


def test_a_rate_too_small_is_slow_although_a_schedule_flattens_its_curve(trained, names):
    found = names(trained("AdamW", 1e-4, decays=True))
    assert "slow" in found
    assert "underfitting" not in found


def test_a_rate_too_large_diverges(trained, names):
    assert "diverged" in names(trained("SGD", 1e4, epochs=4))


def test_a_rate_somewhat_too_large_never_settles(trained, names):
    assert {"oscillating", "late-jitter"} & names(trained("AdamW", 0.05))


def test_few_samples_overfit(trained, find):
    finding = find(trained("AdamW", 5e-3, epochs=40, size=100), "overfitting")
    assert finding is not None
    assert finding.numbers["last"] > 10 * finding.numbers["train"]
    assert 0 < finding.numbers["wrong_top_probability"] <= 1


def test_a_rate_that_vanishes_underfits(trained, names):
    assert "underfitting" in names(trained("SGD", 1e-5))
