"""A whole training without data or gradients: do the schedules and the parameter groups last until its end?"""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import torch

from progtrain.errors import shortened
from progtrain.records import Breakdown
from progtrain.script.capturing.observe_step import log_silenced
from progtrain.script.capturing.rate_hooks import touches_groups

MOST_STEPS: Final = 200_000
MOST_SECONDS: Final = 2.0
"""What is rehearsed of a longer training is its beginning and its end."""
_LAST: Final = 2
"""Steps that are the end of a training."""
#: Lightning's own callbacks that change parameter groups or schedulers while a model trains.
_REGROUPING: Final = frozenset({"BaseFinetuning", "StochasticWeightAveraging"})


@dataclass(frozen=True)
class _Length:
    """How long the whole training is, in epochs, in batches an epoch, and in optimizer steps altogether."""

    epochs: int
    batches: int
    steps: int


@dataclass(frozen=True)
class Rehearsed:
    """What came of a rehearsal.

    Args:
        breakdown: where the training would break down; None where it would not, or where nothing changes from step to
            step.
        idle: types of schedulers that never changed the rate; none where the whole was not gone through.
    """

    breakdown: Breakdown | None = None
    idle: tuple[str, ...] = ()


def rehearse(trainer: Any, resumed: bool) -> Rehearsed:
    """Step optimizers and schedulers as often as the whole training will, with the callbacks that act on them.

    The trainer and its model are used up: it is the last that is done with them.

    Args:
        trainer: to which model and data are attached, and which has its optimizers as they are before the first step.
        resumed: whether those were restored from a checkpoint.

    """
    model = trainer.lightning_module
    acting = [each for each in (*trainer.callbacks, model) if _acts_on_groups(each)]
    if not model.automatic_optimization or not (acting or trainer.lr_scheduler_configs):
        return Rehearsed()
    with warnings.catch_warnings(), log_silenced(model):
        warnings.simplefilter("ignore")
        length = _length(trainer)
        if length is None:
            return Rehearsed()
        rehearsal = _Rehearsal(trainer, length, acting)
        try:
            _set_up(trainer, acting, resumed)
            rehearsal.run()
        except Exception as error:  # noqa: BLE001 - a user's scheduler may raise anything, which is what is looked for
            said = shortened(f"{type(error).__name__}: {error}")
            return Rehearsed(Breakdown(error=said, after=rehearsal.taken, steps=length.steps))
    return Rehearsed(idle=rehearsal.idle())


def _is_regrouping(owner: object) -> bool:
    return any(kind.__name__ in _REGROUPING for kind in type(owner).__mro__)


def _acts_on_groups(owner: object) -> bool:
    """Whether a callback, or the model, changes parameter groups or schedulers when an epoch begins."""
    return _is_regrouping(owner) or touches_groups(getattr(type(owner), "on_train_epoch_start", None))


def _length(trainer: Any) -> _Length | None:
    """None where it is not known beforehand."""
    with suppress(Exception):  # a loader that cannot be looked at has no length either
        trainer.fit_loop.setup_data()
        trainer.fit_loop.teardown()
    batches = trainer.num_training_batches
    if not isinstance(batches, int) or batches < 1:
        return None
    a_epoch = math.ceil(batches / trainer.accumulate_grad_batches)
    limits = [trainer.max_steps] if trainer.max_steps > 0 else []
    if trainer.max_epochs is not None and trainer.max_epochs >= 0:
        limits.append(trainer.max_epochs * a_epoch)
    return _Length(math.ceil(min(limits) / a_epoch), batches, min(limits)) if limits else None


def _set_up(trainer: Any, acting: list[Any], resumed: bool) -> None:
    """Let callbacks that hold parameters back do so, as before every fit, and build the optimizers without those."""
    model = trainer.lightning_module
    callbacks = [each for each in acting if each is not model]
    for callback in callbacks:
        callback.setup(trainer, model, "fit")
    if callbacks and not resumed:
        trainer.strategy.setup_optimizers(trainer)
    for callback in callbacks:
        callback.on_fit_start(trainer, model)


class _Rehearsal:
    """One run through a training.

    Attributes:
        taken: the optimizer steps that went well; None once the end is tried.
    """

    def __init__(self, trainer: Any, length: _Length, acting: list[Any]) -> None:
        self._trainer, self._model, self._length, self._acting = trainer, trainer.lightning_module, length, acting
        self._deadline = time.monotonic() + MOST_SECONDS
        self.taken: int | None = None
        self._acted: set[int] = set()

    def idle(self) -> tuple[str, ...]:
        """Types of the schedulers that never changed a rate, where the whole was gone through."""
        configs = () if self.taken is None else self._trainer.lr_scheduler_configs
        idle = [each.scheduler for each in configs if not each.reduce_on_plateau]
        return tuple(type(each).__name__ for each in idle if id(each) not in self._acted)

    def run(self) -> None:
        """Go through all epochs, or as far as time allows, and then to the end at once."""
        taken = self.taken = self._trainer.global_step
        for epoch in range(self._trainer.current_epoch, self._length.epochs):
            self._trainer.fit_loop.epoch_progress.current.completed = epoch
            self._begin_epoch()
            for batch in self._batches_with_a_step():
                if taken >= self._length.steps:
                    return
                if taken >= MOST_STEPS or time.monotonic() > self._deadline:
                    self._end()
                    return
                self._step_optimizers()
                self._step_schedulers("step", batch)
                taken = self.taken = taken + 1
                self._progress.completed = taken
            self._step_schedulers("epoch", epoch + 1)

    @property
    def _progress(self) -> Any:
        """Where `trainer.global_step` is counted."""
        return self._trainer.fit_loop.epoch_loop.automatic_optimization.optim_progress.optimizer.step.total

    def _begin_epoch(self) -> None:
        for owner in self._acting:
            given = () if owner is self._model else (self._trainer, self._model)
            if _is_regrouping(owner):
                owner.on_train_epoch_start(*given)
            else:
                with suppress(Exception):  # it may want figures that only a training has
                    owner.on_train_epoch_start(*given)

    def _batches_with_a_step(self) -> Iterator[int]:
        """Of an epoch, counted from 1: over the others gradients are accumulated."""
        every, last = self._trainer.accumulate_grad_batches, self._length.batches
        yield from range(every, last + 1, every)
        if last % every:
            yield last

    def _step_optimizers(self) -> None:
        for optimizer in self._trainer.optimizers:
            optimizer.step(closure=lambda: torch.zeros(()))

    def _step_schedulers(self, interval: str, count: int) -> None:
        for config in self._trainer.lr_scheduler_configs:
            if config.interval == interval and not config.reduce_on_plateau and count % config.frequency == 0:
                before = _rates(config.scheduler)
                self._model.lr_scheduler_step(config.scheduler, None)
                if before is None or _rates(config.scheduler) != before:
                    self._acted.add(id(config.scheduler))

    def _end(self) -> None:
        """The last steps of schedulers whose place is a number."""
        self.taken = None
        for config in self._trainer.lr_scheduler_configs:
            whole = self._length.steps if config.interval == "step" else self._length.epochs
            times = whole // config.frequency
            if config.reduce_on_plateau or not hasattr(config.scheduler, "last_epoch") or times < _LAST:
                continue
            config.scheduler.last_epoch = times - _LAST
            for _ in range(_LAST):
                self._model.lr_scheduler_step(config.scheduler, None)


def _rates(scheduler: Any) -> list[float] | None:
    """Of the scheduler's optimizer; None where they are not known."""
    groups = getattr(getattr(scheduler, "optimizer", None), "param_groups", None)
    return None if groups is None else [float(group["lr"]) for group in groups]
