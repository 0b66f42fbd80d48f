"""Rules on settings, lineage and data: each with a case in which it must keep silent."""

from itertools import pairwise

import numpy as np
import pytest

from progtrain.predictions import Predictions
from progtrain.records import Call, Comparison, Layer, LoaderSettings, OptimizerSettings, SchedulerSettings


def sgd(momentum: float) -> tuple[OptimizerSettings, ...]:
    return (OptimizerSettings(type="SGD", groups=({"lr": 0.01, "momentum": momentum, "weight_decay": 0},)),)


def decayed(kind: str, decay: float) -> tuple[OptimizerSettings, ...]:
    return (OptimizerSettings(type=kind, groups=({"lr": 1e-3, "weight_decay": decay},)),)


def rated(kind: str, rate: float) -> tuple[OptimizerSettings, ...]:
    return (OptimizerSettings(type=kind, groups=({"lr": rate, "weight_decay": 0.01, "momentum": 0.9},)),)


def dropped(share: float) -> Call:
    return Call(function="dropout", arguments={"p": share, "training": True})


def dense(*widths: int) -> tuple[Layer, ...]:
    return tuple(
        Layer(path=str(i), type="Linear", arguments={"in_features": a, "out_features": b})
        for i, (a, b) in enumerate(pairwise(widths))
    )


def predictions(targets, answers, outputs=None) -> Predictions:
    count = len(targets)
    return Predictions(
        np.array([str(i) for i in range(count)]),
        np.asarray(targets),
        np.zeros((count, 2)) if outputs is None else np.asarray(outputs),
        np.asarray(answers),
        np.zeros(count),
    )


ADAM = (OptimizerSettings(type="Adam", groups=({"lr": 1e-3, "weight_decay": 0.1},)),)
FINE_TUNED = {"initialization": ("weights 2^1 times torch's",)}
CONVOLUTION = Layer(path="0", type="Conv2d", arguments={"in_channels": 8, "kernel_size": [3, 3], "groups": 2})
SMALL = LoaderSettings(size=3200, batch_size=64, shuffle=True, sampler="", workers=0, fingerprint=None)
IN_ORDER = SMALL.model_copy(update={"shuffle": False, "sampler": "SequentialSampler"})
DRAWN = SMALL.model_copy(update={"shuffle": False, "sampler": "WeightedRandomSampler"})
CONVOLVED = (Call(function="conv1d", arguments={}, shapes=((64, 1, 40), (32, 1, 5))),)
VARIED = (Call(function="gather", arguments={}, shapes=((64, 40),), before_forward=True), *CONVOLVED)
MSE = (Call(function="torch.nn.functional.mse_loss", arguments={}, shapes=((64, 1), (64, 1))),)


@pytest.mark.parametrize(
    ("name", "faulty", "sound"),
    [
        ("plain-sgd", {"optimizers": sgd(0)}, {"optimizers": sgd(0.9)}),
        ("adam-with-decay", {"optimizers": ADAM}, {}),
        ("constant-rate", {"schedulers": ()}, {}),
        ("no-normalization", {"layers": dense(40, 64, 64, 10)}, {"layers": dense(40, 64, 10)}),
        ("bad-initial-loss", {"first_loss": 14.0}, {"first_loss": 2.6}),
        ("unshuffled", {"train": IN_ORDER}, {"train": DRAWN}),
        ("bottleneck", {"layers": dense(40, 64, 2, 10)}, {"layers": dense(40, 2, 64, 10)}),
        ("tiny-rate", {"optimizers": rated("AdamW", 1e-5)}, {"optimizers": rated("AdamW", 1e-4)}),
        ("tiny-rate", {"optimizers": rated("AdamW", 1e-5)}, {"optimizers": rated("SGD", 1e-5)}),
        ("tiny-rate", {"optimizers": rated("AdamW", 1e-5)}, {**FINE_TUNED, "optimizers": rated("AdamW", 1e-5)}),
        ("huge-rate", {"optimizers": rated("AdamW", 0.5)}, {"optimizers": rated("AdamW", 0.05)}),
        ("huge-rate", {"optimizers": rated("Adam", 0.5)}, {"optimizers": rated("SGD", 0.5)}),
        ("huge-rate", {"optimizers": rated("Adam", 0.5), "layers": (CONVOLUTION,)}, {"layers": (CONVOLUTION,)}),
        ("no-augmentation", {"calls": CONVOLVED}, {"calls": VARIED}),
        ("no-augmentation", {"calls": CONVOLVED}, {}),
        ("excessive-decay", {"optimizers": decayed("AdamW", 50.0)}, {"optimizers": decayed("AdamW", 0.5)}),
        ("excessive-decay", {"optimizers": decayed("Adam", 0.5)}, {"optimizers": decayed("Adam", 0.01)}),
        ("excessive-dropout", {"calls": (dropped(0.8),)}, {"calls": (dropped(0.5),)}),
        ("few-steps", {"train": SMALL, "max_epochs": 10}, {"train": SMALL, "max_epochs": 20}),
    ],
)
def test_a_setting_is_found_and_a_sound_one_left_alone(make_evidence, names, name, faulty, sound):
    assert name in names(make_evidence(**faulty))
    assert name not in names(make_evidence(**sound))


def scheduled(kind: str, interval: str = "epoch", **arguments: object) -> dict[str, object]:
    return {"schedulers": (SchedulerSettings(type=kind, arguments=arguments, interval=interval),)}


@pytest.mark.parametrize(
    ("faulty", "sound"),
    [
        (scheduled("CosineAnnealingLR", T_max=50), scheduled("CosineAnnealingLR", T_max=19)),
        (scheduled("CosineAnnealingLR", "step", T_max=20), scheduled("CosineAnnealingLR", "step", T_max=2000)),
        (scheduled("OneCycleLR", "step", total_steps=3000), scheduled("OneCycleLR", "step", total_steps=2000)),
        (scheduled("OneCycleLR", "step", epochs=30), scheduled("OneCycleLR", "step", epochs=20)),
        (scheduled("MultiStepLR", milestones=[10, 30]), scheduled("MultiStepLR", milestones=[10, 15])),
        (scheduled("StepLR", step_size=30), scheduled("StepLR", step_size=7)),
        (scheduled("PolynomialLR", total_iters=5), scheduled("LinearLR", total_iters=5)),
    ],
)
def test_a_schedule_of_another_length(make_evidence, names, faulty, sound):
    assert "schedule-length" in names(make_evidence(**faulty))
    assert "schedule-length" not in names(make_evidence(**sound))


def test_functional_normalization_counts(make_evidence, names):
    calls = (Call(function="torch.nn.functional.layer_norm", arguments={}),)
    assert "no-normalization" not in names(make_evidence(layers=dense(40, 64, 64, 10), calls=calls))


def test_a_regression_that_begins_far_from_its_targets_mean(make_evidence, names):
    rng = np.random.default_rng(0)
    targets = rng.normal(100, 5, 200)
    evidence = make_evidence(
        task_type="regression", calls=MSE, first_loss=10_000.0, predictions=predictions(targets, targets)
    )
    assert "bad-initial-loss" in names(evidence)


@pytest.mark.parametrize(
    ("widths", "found"),
    [((9, 2, 1), True), ((40, 64, 2, 1), True), ((9, 8, 1), False), ((4, 64, 4, 1), False), ((9, 1), False)],
)
def test_few_features_between_many_inputs_and_a_value(make_evidence, names, widths, found):
    assert ("bottleneck" in names(make_evidence(task_type="regression", layers=dense(*widths)))) is found


def test_an_autoencoder_narrows_on_purpose(make_evidence, names):
    assert "bottleneck" not in names(make_evidence(task_type="regression", layers=dense(40, 2, 40)))


def test_a_schedule_halves_how_far_a_rate_reaches(make_evidence, find):
    scheduled = find(make_evidence(optimizers=rated("Adam", 1e-5)), "tiny-rate")
    constant = find(make_evidence(optimizers=rated("Adam", 1e-5), schedulers=()), "tiny-rate")
    assert scheduled.numbers["reach"] == pytest.approx(1e-5 * 2000 / 2)
    assert constant.numbers["reach"] == pytest.approx(1e-5 * 2000)


def test_regressed_names_the_change_and_its_interval(make_evidence, find, make_attempt):
    worse = Comparison(metric="accuracy", difference=-0.08, low=-0.1, high=-0.06, verdict="regressed")
    evidence = make_evidence(comparison=worse, history=(make_attempt("v002", "widen", "regressed"),))
    finding = find(evidence, "regressed")
    assert finding is not None
    assert "widen" in finding.message
    assert finding.numbers == {"difference": -0.08, "low": -0.1, "high": -0.06}


def test_within_noise_asks_for_three_running(make_evidence, names, make_attempt):
    first = make_attempt("v001", "", "first")
    noise = tuple(make_attempt(f"v00{n}", "raise_dropout", "within noise") for n in (2, 3, 4))
    assert "within-noise" in names(make_evidence(history=(first, *noise)))
    assert "within-noise" not in names(make_evidence(history=(first, *noise[:2])))
    nothing = make_attempt("v005", "raise_dropout", "without effect")
    assert "within-noise" not in names(make_evidence(history=(first, *noise[:2], nothing)))
    assert "within-noise" in names(make_evidence(history=(first, *noise[:2], nothing, noise[2])))


def tried(make_attempt, *values, verdict="improved", touches=("lr",)):
    attempts = [make_attempt(f"v00{n}", "raise_learning_rate", verdict) for n in range(1, len(values) + 1)]
    return tuple(
        attempt.model_copy(update={"knobs": {"lr": value}, "parent": f"v00{n}", "touches": touches})
        for n, (attempt, value) in enumerate(zip(attempts, values, strict=True))
    )


@pytest.mark.parametrize(
    ("values", "numbers"),
    [
        ((0.01, 0.03), {"lr": 0.03, "before": 0.01}),
        ((0.01, 0.003), {"lr": 0.003, "before": 0.01}),
        (([0.01, 0.01], [0.03, 0.03]), {"lr": 0.03, "before": 0.01}),
    ],
)
def test_a_step_that_paid_ends_at_the_edge(make_evidence, find, make_attempt, values, numbers):
    finding = find(make_evidence(history=tried(make_attempt, *values)), "edge-of-range")
    assert finding is not None
    assert finding.numbers == numbers


@pytest.mark.parametrize(
    ("values", "changes"),
    [
        ((0.01,), {}),
        ((0.1, 0.01, 0.03), {}),
        ((0.01, 0.03), {"verdict": "within noise"}),
        ((0.01, 0.03), {"touches": ("lr", "optimizer")}),
        ((0.01, [0.03, 0.1]), {}),
        ((0.01, None), {}),
    ],
)
def test_no_edge(make_evidence, find, make_attempt, values, changes):
    assert find(make_evidence(history=tried(make_attempt, *values, **changes)), "edge-of-range") is None


def test_imbalanced_needs_both_few_samples_and_low_recall(make_evidence, names):
    targets = np.array([0] * 80 + [1] * 10)
    blind, seeing = np.zeros(90, dtype=int), targets.copy()
    assert "imbalanced" in names(make_evidence(predictions=predictions(targets, blind)))
    assert "imbalanced" not in names(make_evidence(predictions=predictions(targets, seeing)))


def test_heavy_tails_are_found_and_normal_residuals_not(make_evidence, names):
    rng = np.random.default_rng(0)
    targets = rng.normal(size=400)
    heavy = targets + rng.standard_t(2, size=400)
    normal = targets + rng.normal(size=400)
    for answers, expected in ((heavy, True), (normal, False)):
        evidence = make_evidence(task_type="regression", calls=(), predictions=predictions(targets, answers))
        assert ("heavy-tailed-residuals" in names(evidence)) is expected


@pytest.mark.parametrize(
    ("draw", "expected"),
    [
        (lambda rng: rng.lognormal(0, 1.5, 300), True),
        (lambda rng: rng.normal(10, 1, 300), False),
        (lambda rng: rng.lognormal(0, 1.5, 300) - 1, False),
        (lambda rng: rng.lognormal(0, 1.5, 10), False),
    ],
)
def test_a_skewed_target_is_positive_with_a_long_tail(make_evidence, names, draw, expected):
    targets = draw(np.random.default_rng(0))
    evidence = make_evidence(task_type="regression", calls=(), predictions=predictions(targets, targets))
    assert ("skewed-target" in names(evidence)) is expected


def test_local_structure_is_order_not_scale(make_evidence, names):
    rng = np.random.default_rng(0)
    walks = rng.normal(size=(10, 40)).cumsum(axis=1)
    shuffled = walks[:, rng.permutation(40)] * np.linspace(1, 5, 40)
    assert "local-structure" in names(make_evidence(inputs=walks))
    assert "local-structure" not in names(make_evidence(inputs=rng.normal(size=(10, 40)) + shuffled.mean(axis=0)))


def test_unscaled_inputs(make_evidence, names):
    rng = np.random.default_rng(0)
    columns = rng.normal(size=(50, 5))
    assert "unscaled-inputs" in names(make_evidence(inputs=columns * np.array([1, 1, 1, 100, 1000])))
    assert "unscaled-inputs" in names(make_evidence(inputs=columns + 50))
    assert "unscaled-inputs" in names(make_evidence(inputs=columns + np.array([0, 0, 60, 0, 0])))
    assert "unscaled-inputs" not in names(make_evidence(inputs=columns))


def images(rng, count=10, side=8):
    """Blobs, each at a place of its own."""
    grid = np.arange(side)
    centres, widths = rng.uniform(1, side - 2, (count, 2)), rng.uniform(1.2, 2.0, count)
    rows = np.exp(-(((grid[None] - centres[:, :1]) / widths[:, None]) ** 2))
    columns = np.exp(-(((grid[None] - centres[:, 1:]) / widths[:, None]) ** 2))
    return (rows[:, :, None] * columns[:, None, :]).reshape(count, side * side)


def flat(length):
    return (Layer(path="net", type="Linear", arguments={"in_features": length, "out_features": 4}),)


def test_an_image_laid_flat_is_told_from_a_signal_of_its_length(make_evidence, find):
    rng = np.random.default_rng(0)
    image = find(make_evidence(inputs=images(rng), layers=flat(64)), "local-structure")
    signal = find(make_evidence(inputs=rng.normal(size=(10, 64)).cumsum(axis=1), layers=flat(64)), "local-structure")
    assert image is not None
    assert image.numbers["side"] == 8
    assert signal is not None
    assert "side" not in signal.numbers
    assert find(make_evidence(inputs=rng.normal(size=(10, 64)), layers=flat(64)), "local-structure") is None


@pytest.mark.parametrize(
    ("draw", "expected"),
    [
        (lambda rng: rng.normal(4000, 3000, 300), True),
        (lambda rng: rng.normal(100, 1, 300), True),
        (lambda rng: rng.normal(0, 0.01, 300), True),
        (lambda rng: rng.normal(3, 2, 300), False),
        (lambda rng: np.full(300, 1e6), False),
    ],
)
def test_an_unscaled_target_is_far_from_zero_or_from_a_spread_of_one(make_evidence, names, draw, expected):
    targets = draw(np.random.default_rng(0))
    evidence = make_evidence(task_type="regression", calls=(), predictions=predictions(targets, targets))
    assert ("unscaled-target" in names(evidence)) is expected


def test_a_target_that_the_model_rescales_is_not_unscaled(make_evidence, names):
    targets = np.random.default_rng(0).normal(4000, 3000, 300)
    step = tuple(Call(function=name, arguments={}) for name in ("linear", "mul", "add", "mse_loss"))
    evidence = make_evidence(task_type="regression", calls=step, predictions=predictions(targets, targets))
    assert "unscaled-target" not in names(evidence)


@pytest.mark.parametrize(
    ("metric", "loss", "expected"),
    [("mae", "mse_loss", True), ("rmse", "mse_loss", False), ("mae", "l1_loss", False)],
)
def test_a_squared_loss_is_off_an_absolute_metric(make_evidence, names, metric, loss, expected):
    comparison = Comparison(metric=metric, difference=None, low=None, high=None, verdict="first")
    calls = (Call(function=loss, arguments={}),)
    evidence = make_evidence(task_type="regression", calls=calls, comparison=comparison)
    assert ("loss-off-metric" in names(evidence)) is expected


def test_a_network_of_values_wants_normalization_less_and_another(make_evidence, names):
    layers = dense(40, 64, 64, 1)
    both = {"no-normalization", "unnormalized-values"}
    assert both & names(make_evidence(layers=layers)) == {"no-normalization"}
    assert both & names(make_evidence(layers=layers, task_type="tabular-regression")) == {"unnormalized-values"}


def test_steps_that_are_nearly_enough_ask_for_little(make_evidence, find):
    few, nearly = (
        LoaderSettings(size=size, batch_size=64, shuffle=True, sampler="", workers=0, fingerprint=None)
        for size in (640, 3100)
    )
    few_steps, nearly_enough = (find(make_evidence(train=train), "few-steps") for train in (few, nearly))
    assert few_steps.severity > 0.4
    assert nearly_enough.severity < 0.1
