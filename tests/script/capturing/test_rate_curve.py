"""What a curve of losses over growing rates suggests: curves whose steepest place is known, and curves without one."""

from __future__ import annotations

import numpy as np
import pytest

from progtrain.records import OptimizerSettings, SchedulerSettings, Snapshot
from progtrain.script.capturing.rate_curve import LOWEST_RATE, STEPS, RateCurve, rate_at, suggest
from progtrain.script.settings.rates import present_rate

RATES = np.array([rate_at(step, 1.0) for step in range(STEPS)])


def falling(steepest: float, start: float = 2.3, end: float = 0.4, sharp: float = 3.0) -> np.ndarray:
    """A loss that falls from start to end, most steeply at a rate."""
    return end + (start - end) / (1 + (RATES / steepest) ** sharp)


def noise(seed: int, size: float) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, size, STEPS)


def curve(losses: np.ndarray, failure: str = "") -> RateCurve:
    return RateCurve(rates=tuple(RATES[: len(losses)]), losses=tuple(losses), failure=failure)


def test_rates_grow_by_one_factor_up_to_the_highest() -> None:
    assert rate_at(0, 10.0) == LOWEST_RATE
    assert rate_at(STEPS - 1, 10.0) == pytest.approx(10.0)
    assert np.ptp(np.diff(np.log(RATES))) < 1e-9


@pytest.mark.parametrize("steepest", [3e-4, 1e-3, 1e-2, 0.1])
@pytest.mark.parametrize("size", [0.0, 0.05, 0.2])
def test_the_steepest_fall_is_found_within_a_factor_of_two(steepest: float, size: float) -> None:
    for seed in range(5):
        rate = suggest(curve(falling(steepest) + noise(seed, size))).rate
        assert rate is not None
        assert steepest / 2 <= rate <= steepest * 2


def test_a_schedules_peak_lies_between_the_steepest_fall_and_the_lowest_loss() -> None:
    suggestion = suggest(curve(np.concatenate((falling(1e-3)[:85], np.geomspace(0.4, 9.0, 8)))))
    assert suggestion.rate is not None
    assert suggestion.peak is not None
    assert suggestion.peak == pytest.approx(np.sqrt(suggestion.rate * RATES[81]), rel=0.3)


@pytest.mark.parametrize(
    "losses",
    [
        falling(1e-2) - 5.0,
        falling(1e-2, start=3e7, end=1e5),
        np.concatenate((falling(1e-2)[:85], np.geomspace(0.4, 9.0, 8))),
        np.concatenate((falling(1e-2)[:80], [6.0], falling(1e-2)[81:90] + 0.3)),
        np.concatenate((2.3 + noise(0, 0.3)[:40], falling(1e-2)[40:])),
    ],
    ids=["below zero", "large", "that rises at the end", "that comes down from a spike", "noisy at first"],
)
def test_a_loss_of_any_kind(losses: np.ndarray) -> None:
    rate = suggest(curve(losses)).rate
    assert rate is not None
    assert 5e-3 <= rate <= 2e-2


@pytest.mark.parametrize(
    ("losses", "failure", "remark"),
    [
        (np.array([]), "ValueError: no", "0 of 100 steps: ValueError: no"),
        (falling(1e-2)[:9], "", "9 of 100 steps: the loss left all bounds"),
        (np.full(STEPS, 2.3), "", "less than 5% at every rate"),
        (np.linspace(2.3, 5.0, STEPS), "", "less than 5% at every rate"),
        (falling(1e-2, end=2.25), "", "less than 5% at every rate"),
        (2.3 + noise(1, 0.8), "", "no further than it scatters"),
    ],
    ids=["nothing", "over at once", "flat", "rising", "hardly falling", "noise"],
)
def test_none_is_suggested_and_why(losses: np.ndarray, failure: str, remark: str) -> None:
    suggestion = suggest(curve(losses, failure))
    assert suggestion.rate is None
    assert remark in suggestion.remark


def test_a_curve_that_ended_in_an_exception_still_suggests() -> None:
    assert suggest(curve(falling(1e-2)[:80], "ValueError: no number")).rate == pytest.approx(1e-2, rel=0.5)


def test_the_present_rate_is_the_largest_and_a_peak_comes_before_the_rates_of_groups() -> None:
    groups = ({"lr": 0.1}, {"lr": 0.01})
    snapshot = Snapshot.model_construct(optimizers=(OptimizerSettings(type="SGD", groups=groups),), schedulers=())
    assert present_rate(snapshot) == 0.1
    peaks = SchedulerSettings(type="OneCycleLR", arguments={"max_lr": [0.5, 0.05]})
    assert present_rate(snapshot.model_copy(update={"schedulers": (peaks,)})) == 0.5
    assert present_rate(snapshot.model_copy(update={"optimizers": ()})) is None
