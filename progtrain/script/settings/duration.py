"""How long a training is, and whether its learning-rate schedule is as long."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from progtrain.records import SchedulerSettings, Snapshot

_LENGTH: Final = {
    "CosineAnnealingLR": "T_max",
    "OneCycleLR": "total_steps",
    "PolynomialLR": "total_iters",
    "StepLR": "step_size",
    "MultiStepLR": "milestones",
}
#: Schedules that do something at a given time, and may have done all of it before the end.
_EVENTS: Final = frozenset({"step_size", "milestones"})
_TOLERANCE: Final = 0.1


@dataclass(frozen=True)
class Misfit:
    """A schedule that is made for a training of another length.

    Args:
        scheduler: name of its class.
        argument: that holds the length: `T_max`, `milestones`.
        present: its value; the last one of several.
        length: of the training, in units of `interval`.
        interval: "epoch" or "step".
    """

    scheduler: str
    argument: str
    present: float
    length: int
    interval: str


def optimizer_steps(snapshot: Snapshot) -> int | None:
    """How many optimizer steps the whole training is to take; None where it is not known."""
    limit = snapshot.max_steps if snapshot.max_steps > 0 else None
    train, epochs = snapshot.train, snapshot.max_epochs
    if not epochs or epochs < 0 or train is None or not train.size or not train.batch_size:
        return limit
    batches = math.ceil(train.size / train.batch_size)
    planned = math.ceil(batches / snapshot.accumulate_grad_batches) * epochs
    return planned if limit is None else min(planned, limit)


def schedule_misfit(snapshot: Snapshot) -> Misfit | None:
    """The first scheduler that would end, or act for the last time, elsewhere than within the training.

    A schedule that anneals must be as long as the training, within a tenth; one of steps must come to its last one.
    """
    return next((misfit for scheduler in snapshot.schedulers if (misfit := _misfit(scheduler, snapshot))), None)


def _misfit(scheduler: SchedulerSettings, snapshot: Snapshot) -> Misfit | None:
    argument = _LENGTH.get(scheduler.type)
    value = scheduler.arguments.get(argument) if argument else None
    if argument == "total_steps" and value is None:
        argument, value = "epochs", scheduler.arguments.get("epochs")
    times = value if isinstance(value, list) else [value]
    present = max((time for time in times if isinstance(time, int | float)), default=None)
    in_epochs = argument == "epochs" or scheduler.interval == "epoch"
    length = snapshot.max_epochs if in_epochs else optimizer_steps(snapshot)
    if argument is None or present is None or length is None or length < 1:
        return None
    fits = present < length if argument in _EVENTS else abs(present / length - 1) <= _TOLERANCE
    interval = "epoch" if in_epochs else "step"
    return None if fits else Misfit(scheduler.type, argument, float(present), length, interval)
