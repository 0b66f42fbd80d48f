"""Whether two learning-rate schedules are the same one at another rate or over another length."""

from __future__ import annotations

import math
from typing import Final

from pydantic import JsonValue

from progtrain.records import SchedulerSettings, Snapshot
from progtrain.script.settings.duration import optimizer_steps

_RATES: Final = frozenset(("max_lr", "base_lr", "eta_min", "min_lr", "min_lrs", "swa_lr", "end_lr"))
_DURATIONS: Final = frozenset(
    ("total_steps", "T_max", "T_0", "total_iters", "epochs", "steps_per_epoch", "step_size", "milestones")
)
#: What a rate is multiplied by at every step, so that it falls to the same share over the whole training.
_DECAY: Final = "gamma"
_SHARE_TOLERANCE: Final = 0.01


def same_schedules(before: Snapshot, after: Snapshot) -> bool:
    """Whether two Snapshots schedule the learning rate alike, relative to the rate and to the training's length.

    An argument agrees where it is equal, or is the same multiple of the optimizer's rate (`max_lr`), or the same share
    of all steps or epochs (`total_steps`, `T_max`), whichever the schedule counts in.
    """
    if len(before.schedulers) != len(after.schedulers):
        return False
    pairs = zip(before.schedulers, after.schedulers, strict=True)
    return all(_alike_schedulers(one, other, before, after) for one, other in pairs)


def _alike_schedulers(one: SchedulerSettings, other: SchedulerSettings, before: Snapshot, after: Snapshot) -> bool:
    if (one.type, one.interval, one.monitor) != (other.type, other.interval, other.monitor):
        return False
    rates = _first_rate(before), _first_rate(after)
    durations = _duration(before, one.interval), _duration(after, other.interval)
    return _alike(None, one.arguments, other.arguments, rates, durations)


def _alike(
    key: str | None, one: JsonValue, other: JsonValue, rates: tuple[float, float], durations: tuple[float, float]
) -> bool:
    if one == other:
        return True
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_alike(k, one[k], other[k], rates, durations) for k in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(
            _alike(key, a, b, rates, durations) for a, b in zip(one, other, strict=True)
        )
    if not (isinstance(one, int | float) and isinstance(other, int | float)):
        return False
    if key in _RATES:
        return math.isclose(one * rates[1], other * rates[0], rel_tol=1e-6)
    if key == _DECAY and min(one, other) > 0:
        return math.isclose(math.log(one) * durations[0], math.log(other) * durations[1], rel_tol=1e-6)
    if key in _DURATIONS:
        return abs(one / durations[0] - other / durations[1]) < _SHARE_TOLERANCE
    return False


def _first_rate(snapshot: Snapshot) -> float:
    rates = (group.get("lr") for optimizer in snapshot.optimizers for group in optimizer.groups)
    return next((float(rate) for rate in rates if isinstance(rate, int | float)), math.nan)


def _duration(snapshot: Snapshot, interval: str) -> float:
    length = optimizer_steps(snapshot) if interval == "step" else snapshot.max_epochs
    return float(length) if length and length > 0 else math.nan
