"""Which value of one knob to try next: Optuna's TPE on a study of everything that was tried, all other knobs fixed."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import isclose, isfinite, log
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from optuna import Study
    from optuna.distributions import BaseDistribution

#: Values before which TPE draws blindly. Optuna's own 10 are more than most loops have versions; from two on it is
#: known which of them was better, and the next one is looked for near it and away from the other.
_STARTUP: Final = 2
#: Draws until a value comes up that was not tried. Those before count as running, which TPE keeps away from.
_DRAWS: Final = 32


@dataclass(frozen=True)
class Range:
    """The values that a knob may take.

    Args:
        low: the smallest.
        high: the largest.
        log: whether steps are factors.
        among: the only values, in order, where not every one in between will do.
    """

    low: float
    high: float
    log: bool = False
    among: tuple[int, ...] = ()

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high

    def nearest(self, value: float) -> float:
        """The value as it is written: one of `among`, or of three significant digits."""
        if self.among:
            return min(self.among, key=lambda each: abs(log(each / value)))
        return float(f"{value:.3g}")


@dataclass(frozen=True)
class Tried:
    """One version: the values of its knobs, as far as they are known, and what it reached."""

    values: Mapping[str, float]
    primary: float


@dataclass(frozen=True)
class Search:
    """What the next value of a knob follows from.

    Args:
        knob: the one that is searched.
        ranges: of this and all other knobs that are known of.
        fixed: the values that the other knobs keep.
        tried: every version so far.
        taken: values of the knob that must not come up again.
        higher_is_better: of what the versions reached.
        seed: of every draw.
    """

    knob: str
    ranges: Mapping[str, Range]
    fixed: Mapping[str, float]
    tried: tuple[Tried, ...]
    taken: frozenset[float] = field(default=frozenset())
    higher_is_better: bool = True
    seed: int = 42


def next_value(search: Search) -> float | None:
    """The value to try next, the same for the same search; None where every draw gave one that is taken."""
    with _quiet():
        study = _study(search)
        fixed = (knob for knob, value in search.fixed.items() if _fits(search, knob, value))
        space = _distributions(search, {search.knob, *fixed})
        for _ in range(_DRAWS):
            drawn = study.ask(space).params[search.knob]
            value = search.ranges[search.knob].nearest(drawn)
            if not any(isclose(value, each) for each in search.taken):
                return value
    return None


def _study(search: Search) -> Study:
    import optuna

    sampler = optuna.samplers.TPESampler(
        seed=search.seed, n_startup_trials=_STARTUP, multivariate=False, constant_liar=True
    )
    study = optuna.create_study(
        direction="maximize" if search.higher_is_better else "minimize",
        sampler=optuna.samplers.PartialFixedSampler(dict(search.fixed), sampler),
    )
    for tried in _best_by_value(search):
        values = {knob: value for knob, value in tried.values.items() if _fits(search, knob, value)}
        distributions = _distributions(search, values)
        study.add_trial(optuna.trial.create_trial(params=values, distributions=distributions, value=tried.primary))
    return study


def _best_by_value(search: Search) -> list[Tried]:
    """For every value that the knob had, the best version that had it.

    Versions that share a value differ in something else, as an early one and its descendants do. What the early one
    lacked would count against the value, and drive the search away from the one that the best version has.
    """
    sign = 1 if search.higher_is_better else -1
    best: dict[float, Tried] = {}
    for tried in search.tried:
        value = tried.values.get(search.knob)
        if value is None or not _fits(search, search.knob, value) or not isfinite(tried.primary):
            continue
        if value not in best or sign * tried.primary > sign * best[value].primary:
            best[value] = tried
    return list(best.values())


def _fits(search: Search, knob: str, value: float) -> bool:
    return knob in search.ranges and value in search.ranges[knob]


def _distributions(search: Search, knobs: Iterable[str]) -> dict[str, BaseDistribution]:
    from optuna.distributions import FloatDistribution

    chosen = {knob: search.ranges[knob] for knob in sorted(knobs)}
    return {knob: FloatDistribution(each.low, each.high, log=each.log) for knob, each in chosen.items()}


@contextmanager
def _quiet() -> Iterator[None]:
    """Without Optuna's account of every trial, and the warning that fixing parameters is experimental there."""
    import optuna

    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            yield
    finally:
        optuna.logging.set_verbosity(verbosity)
