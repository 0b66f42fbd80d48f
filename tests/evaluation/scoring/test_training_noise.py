from pathlib import Path

import numpy as np
import pytest
from scipy.stats import t

from progtrain.evaluation.scoring.comparison import compare
from progtrain.evaluation.scoring.training_noise import probability_better, widened
from progtrain.records import MetricValue, TrainingNoise

NO_FILE = Path("there is no metrics.py")


def test_without_sample_noise_the_interval_is_students():
    """The difference of two trainings, judged by the spread of k + 1 others: t with k degrees of freedom."""
    low, high = widened(1.0, 1.0, 1.0, TrainingNoise(deviation=0.5, repeats=4), 0.95)
    half = t(4).ppf(0.975) * np.sqrt(2) * 0.5
    assert (low, high) == pytest.approx((1 - half, 1 + half))


def test_without_training_noise_the_interval_stays():
    assert widened(0.1, -0.2, 0.5, TrainingNoise(deviation=0.0, repeats=3), 0.95) == pytest.approx((-0.2, 0.5))


def test_both_noises_add_in_quadrature_on_each_side():
    noise = TrainingNoise(deviation=0.1, repeats=10_000)
    low, high = widened(0.0, -0.3, 0.4, noise, 0.95)
    margin = 1.96 * np.sqrt(2) * 0.1
    assert low == pytest.approx(-np.hypot(0.3, margin), rel=1e-3)
    assert high == pytest.approx(np.hypot(0.4, margin), rel=1e-3)


def test_the_widened_interval_covers_as_often_as_it_says():
    """Trainings of no true difference, each with a seed's effect, measured on samples with noise of their own."""
    random, trials, repeats, seeds, samples = np.random.default_rng(0), 4000, 4, 0.02, 0.01
    outside = 0
    for _ in range(trials):
        values = random.normal(0, seeds, repeats + 3)
        noise = TrainingNoise(deviation=float(values[: repeats + 1].std(ddof=1)), repeats=repeats)
        difference = values[-1] - values[-2] + random.normal(0, samples)
        half = 1.96 * samples
        low, high = widened(difference, difference - half, difference + half, noise, 0.95)
        outside += low > 0 or high < 0
    assert 0.03 < outside / trials < 0.06


def test_the_probability_shrinks_towards_a_half_as_trainings_differ():
    resampled = np.random.default_rng(0).normal(0.02, 0.005, 2000)
    alone = probability_better(resampled, None)
    calm = probability_better(resampled, TrainingNoise(deviation=0.005, repeats=5))
    wild = probability_better(resampled, TrainingNoise(deviation=0.5, repeats=5))
    assert alone > calm > wild > 0.5
    assert probability_better(resampled, TrainingNoise(deviation=0.0, repeats=5)) == alone


def test_what_the_seed_could_have_done_is_no_improvement(classified):
    weak, strong = classified(skill=1.0), classified(skill=2.0, seed=1)
    was, now = (
        MetricValue(name="accuracy", value=float((p.answers == p.targets).mean()), higher_is_better=True)
        for p in (weak, strong)
    )
    alone = compare(weak, strong, was, now, "classification", NO_FILE, 0)
    assert alone.verdict == "improved"
    noise = TrainingNoise(deviation=0.2, repeats=3)
    both = compare(weak, strong, was, now, "classification", NO_FILE, 0, noise)
    assert both.verdict == "within noise"
    assert both.low < alone.low < alone.high < both.high
    assert both.noise == noise
    assert compare(None, weak, None, was, "classification", NO_FILE, 0, noise).noise == noise
