"""Inside a fit: everything that Lightning sets up before it trains, and then something else in the training's place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from lightning.pytorch.loggers.logger import DummyLogger

from progtrain.script.capturing.attaching import FitArguments
from progtrain.script.capturing.leaving import leave_at_fit

#: Base classes of callbacks that write, print or end a training, and change nothing of what a model answers.
_LEFT_OUT: Final = frozenset(
    {"Checkpoint", "ProgressBar", "ModelSummary", "EarlyStopping", "LearningRateFinder", "BatchSizeFinder"}
)


@dataclass(frozen=True)
class Fit:
    """A fit that Lightning has set up: hooks up to `on_fit_start` ran, precision and device are those of the training.

    Attributes:
        trainer: of `lightning.pytorch` or `pytorch_lightning`.
        model: the LightningModule, with the weights that the script gave it.
        datamodule: the DataModule, or None.
        checkpoints: the ModelCheckpoints, which write nothing here.
    """

    trainer: Any
    model: Any
    datamodule: Any
    checkpoints: tuple[Any, ...]

    def prepared(self, batch: Any, dataloader_idx: int = 0) -> Any:
        """A loader's batch as `validation_step` gets it: converted, on the device, through the script's own hooks."""
        batch = self.trainer.precision_plugin.convert_input(batch)
        batch = self.model._on_before_batch_transfer(batch, dataloader_idx=dataloader_idx)
        return self.trainer.strategy.batch_to_device(batch, dataloader_idx=dataloader_idx)

    @contextmanager
    def checkpoints_attached(self) -> Iterator[None]:
        """The ModelCheckpoints beside the trainer, for what looks there for what they watch."""
        self.trainer.callbacks = list(self.checkpoints)
        try:
            yield
        finally:
            self.trainer.callbacks = []

    def validation_loaders(self) -> Any:
        """What the script gives for validation: one loader, several in a list or by name, or None."""
        source = self.trainer.fit_loop.epoch_loop.val_loop._data_source
        return source.dataloader() if source.is_defined() else None

    def validate(self) -> dict[str, float]:
        """Let Lightning run the script's own validation over all of its loaders, as in a training.

        Returns:
            What it logged, by its own names.

        Raises:
            Exception: whatever the script's own validation raises.
        """
        self.trainer.validating = True
        self.trainer.fit_loop.epoch_loop.val_loop.run()
        return {str(name): float(value) for name, value in self.trainer.callback_metrics.items()}

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Precision and gradients as the script's own validation has them."""
        without = torch.inference_mode if self.trainer.fit_loop.epoch_loop.val_loop.inference_mode else torch.no_grad
        with without(), self.trainer.precision_plugin.val_step_context():
            yield

    def begin_validation(self) -> None:
        """Evaluation mode, and the module's hooks before the first batch, as a validation epoch has them."""
        self.trainer.validating = True
        self.model.on_validation_model_eval()
        self.model.on_validation_start()
        self.model.on_validation_epoch_start()


def inside_fit(script: Path, run: Callable[[Fit], None]) -> None:
    """Run a script as `__main__` up to its fit, let Lightning set that up, and call `run` where it would train.

    Nothing is logged, no checkpoint is written; callbacks take part in the set-up, not in what `run` does.

    Args:
        script: path of the script; the working directory is the caller's business.
        run: what to do inside the fit.

    Raises:
        CaptureError: the script raised before, or did not call fit.
        Exception: whatever `run` raises.
    """
    ended: list[Exception | None] = []

    def at_fit(original: Callable[..., None], trainer: Any, *args: Any, **kwargs: Any) -> None:
        given = FitArguments.of(*args, **kwargs)
        checkpoints = tuple(each for each in trainer.callbacks if _is_a("ModelCheckpoint", each))
        _silence(trainer)

        def instead() -> None:
            trainer.callbacks = []
            try:
                run(Fit(trainer, given.model, given.datamodule, checkpoints))
            except Exception as error:  # noqa: BLE001 - raised again outside of Lightning's own handling of errors
                ended.append(error)
            else:
                ended.append(None)

        trainer.fit_loop.run = instead
        try:
            original(trainer, *args, **kwargs)
        except Exception:
            if not ended:  # what the script's hooks do once it is over is of no interest
                raise

    leave_at_fit(script, (), at_fit)
    if ended[0] is not None:
        raise ended[0]


def _silence(trainer: Any) -> None:
    trainer.num_sanity_val_steps = 0
    trainer.loggers = [_NoLogger() for _ in trainer.loggers]
    trainer.callbacks = [each for each in trainer.callbacks if not any(_is_a(name, each) for name in _LEFT_OUT)]


def _is_a(name: str, callback: object) -> bool:
    """Whether a callback derives from a class of that name, in either of Lightning's packages."""
    return any(kind.__name__ == name for kind in type(callback).__mro__)


class _NoLogger(DummyLogger):
    """Takes everything and keeps nothing; scripts that ask for its folder get one of the scratch view."""

    @property
    def save_dir(self) -> str:
        return "logs"

    log_dir = save_dir
