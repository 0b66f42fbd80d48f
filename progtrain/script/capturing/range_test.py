"""Training a script for a moment with a rate that grows from step to step, to see at which rates the loss falls."""

from __future__ import annotations

import argparse
import math
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import fmean
from typing import Any, Final

import torch
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.loggers.logger import DummyLogger

from progtrain.errors import CaptureError
from progtrain.script.capturing.attaching import FitArguments
from progtrain.script.capturing.leaving import leave_at_fit
from progtrain.script.capturing.rate_curve import HIGHEST_PLAIN_SGD_RATE, HIGHEST_RATE, STEPS, RateCurve, rate_at
from progtrain.workspace import write_atomic

_MEMORY: Final = 0.9
"""Of the running mean by which a test is ended; what a suggestion is made from is smoothed anew."""
_TIMES_BEST: Final = 4.0


def range_test(script: Path) -> RateCurve:
    """Run a script as `__main__` in this process, its `Trainer.fit` with growing rates and at most `STEPS` steps.

    The training loop is Lightning's own, with the script's clipping, accumulation, precision and hooks; its callbacks,
    loggers, validation and schedules are left out. `Tuner.lr_find` was not taken, though it sets up the same: it sets
    the script's callbacks up before it puts them aside, writes a checkpoint, validates, halves the first losses by the
    bias correction of its mean, and has no way to keep a curve that ends in an exception.

    Raises:
        CaptureError: the script did not reach `Trainer.fit`; what happens after that is told in the curve.
    """
    tested: list[RateCurve] = []
    leave_at_fit(script, (), lambda original, trainer, *a, **k: tested.append(_fit(original, trainer, *a, **k)))
    return tested[0]


def _fit(original: Callable[..., None], trainer: Any, *args: Any, **kwargs: Any) -> RateCurve:
    given, growing = FitArguments.of(*args, **kwargs), _GrowingRate()
    refusal = _refusal(trainer, given)
    if refusal is not None:
        return RateCurve(rates=(), losses=(), failure=refusal)
    trainer.callbacks = [growing]
    given.model.configure_callbacks = lambda: []
    trainer.loggers = [DummyLogger() for _ in trainer.loggers]
    trainer.limit_val_batches = trainer.num_sanity_val_steps = 0
    failure = ""
    try:
        original(trainer, *args, **kwargs)
    except Exception as error:  # noqa: BLE001 - a user's step may raise anything; at high rates many do
        traceback.print_exc()
        failure = f"{type(error).__name__}: {error}"
    return RateCurve(rates=tuple(growing.rates), losses=tuple(growing.losses), failure=failure)


def _refusal(trainer: Any, given: FitArguments) -> str | None:
    if given.ckpt_path is not None:
        return "the training goes on from a checkpoint"
    if trainer.strategy.launcher is not None or trainer.num_devices * trainer.num_nodes > 1:
        return "it trains in processes of its own, on several devices"
    return None


class _GrowingRate(Callback):
    """Sets the rate of every step, notes the loss, and ends the training where the loss has left its best far behind.

    Attributes:
        rates: of every step that was taken.
        losses: before the step; the mean of the batches that it accumulates.
    """

    def __init__(self) -> None:
        self.rates: list[float] = []
        self.losses: list[float] = []
        self._shares: list[float] = []
        self._highest = HIGHEST_RATE
        self._taken = 0
        self._batches: list[float] = []
        self._mean = _RunningMean()

    def on_fit_start(self, trainer: Any, pl_module: Any) -> None:
        """The optimizer is there: learn how its groups' rates relate, and put aside what would alter them."""
        (optimizer,) = trainer.optimizers
        groups = optimizer.param_groups
        own = [float(group.get("initial_lr", group["lr"])) for group in groups]
        self._shares = [rate / max(own) if max(own) > 0 else 1.0 for rate in own]
        plain = type(optimizer).__name__ == "SGD" and not any(group["momentum"] for group in groups)
        self._highest = HIGHEST_PLAIN_SGD_RATE if plain else HIGHEST_RATE
        for config in trainer.lr_scheduler_configs:
            # The script may ask its schedule for the last rate: it stays, and stands still.
            config.scheduler.step = lambda *args, **kwargs: None
            config.reduce_on_plateau = False
        loop = trainer.fit_loop
        if loop.max_epochs != -1:
            loop.max_epochs = max(loop.max_epochs, STEPS)
        loop.epoch_loop.max_steps = STEPS

    def on_train_batch_start(self, trainer: Any, pl_module: Any, batch: Any, batch_idx: int) -> None:
        """For optimizers that read their rate before they ask for the gradient."""
        self._set_rate(trainer)

    def on_before_optimizer_step(self, trainer: Any, pl_module: Any, optimizer: Any) -> None:
        """The last word, after a script that sets its rate by hand."""
        self._set_rate(trainer)

    def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Note the loss of a step that was taken."""
        loss = outputs.get("loss") if isinstance(outputs, Mapping) else outputs
        if isinstance(loss, torch.Tensor):
            self._batches.append(float(loss) * trainer.accumulate_grad_batches)
        if trainer.global_step == self._taken or not self._batches:
            return
        self._taken, value = trainer.global_step, fmean(self._batches)
        self._batches = []
        if math.isfinite(value):
            self.rates.append(rate_at(self._taken - 1, self._highest))
            self.losses.append(value)
        if not math.isfinite(value) or self._mean.has_diverged(value):
            trainer.fit_loop.epoch_loop.max_steps = trainer.global_step

    def _set_rate(self, trainer: Any) -> None:
        for group, share in zip(trainer.optimizers[0].param_groups, self._shares, strict=True):
            group["lr"] = share * rate_at(trainer.global_step, self._highest)


class _RunningMean:
    """Of the losses so far, the last ones counting most."""

    def __init__(self) -> None:
        self._sum = self._weight = 0.0
        self._first = self._best = math.nan

    def has_diverged(self, loss: float) -> bool:
        """Whether the mean has risen to four times its best; where that is near zero or below, as far above it."""
        self._sum = _MEMORY * self._sum + loss
        self._weight = _MEMORY * self._weight + 1
        mean = self._sum / self._weight
        if math.isnan(self._best):
            self._first = self._best = mean
        self._best = min(self._best, mean)
        return mean - self._best > (_TIMES_BEST - 1) * max(abs(self._best), self._first - self._best)


def main() -> None:
    """`python -m progtrain.script.capturing.range_test SCRIPT --output curve.json`."""
    parser = argparse.ArgumentParser(description="Write a script's losses at growing learning rates.")
    parser.add_argument("script", type=Path)
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    try:
        curve = range_test(options.script)
    except CaptureError as error:
        if error.__cause__ is not None:
            traceback.print_exception(error.__cause__)
        print(f"\n{error}", file=sys.stderr)  # a paragraph of its own, which the loop passes on whole
        sys.exit(1)
    write_atomic(options.output, curve.model_dump_json(indent=2) + "\n")


if __name__ == "__main__":
    main()
