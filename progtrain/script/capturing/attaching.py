"""Linking model and data to a trainer as its fit does, and passing a fit over as if it had trained."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch

from progtrain.script.capturing.fits import checkpoints
from progtrain.script.capturing.interception import Replace

_FIT: Final = "progtrain_fit"
"""Key of a checkpoint that no training wrote: the fit in whose place it was written."""


@dataclass(frozen=True)
class FitArguments:
    """What `Trainer.fit` was called with."""

    model: Any
    train: Any
    valid: Any
    datamodule: Any
    ckpt_path: str | None
    weights_only: bool | None

    @classmethod
    def of(
        cls,
        model: Any,
        train_dataloaders: Any = None,
        val_dataloaders: Any = None,
        datamodule: Any = None,
        ckpt_path: Any = None,
        weights_only: bool | None = None,
    ) -> FitArguments:
        """As `Trainer.fit` takes them: a DataModule may stand in the place of the training loaders."""
        if datamodule is None and hasattr(train_dataloaders, "train_dataloader"):
            train_dataloaders, datamodule = None, train_dataloaders
        model = getattr(model, "_orig_mod", model)  # of torch.compile; Lightning unwraps it likewise
        return cls(model, train_dataloaders, val_dataloaders, datamodule, ckpt_path and str(ckpt_path), weights_only)


def attach(trainer: Any, given: FitArguments) -> None:
    """Link model and data to the trainer as its fit does, without loggers or checkpoints being made on disk."""
    states = sys.modules[type(trainer.state).__module__]
    trainer.state.fn = states.TrainerFn.FITTING
    trainer.state.status = states.TrainerStatus.RUNNING
    trainer.strategy.connect(given.model)
    trainer._data_connector.attach_data(
        given.model, train_dataloaders=given.train, val_dataloaders=given.valid, datamodule=given.datamodule
    )
    trainer._callback_connector._attach_model_callbacks()
    for part in (given.datamodule, given.model):
        if part is not None:
            part.prepare_data()
    for part in (given.datamodule, given.model):
        if part is not None:
            part.setup("fit")
    given.model.configure_model()


def pass_over(trainer: Any, given: FitArguments, position: int) -> None:
    """Let a script go on as if this fit had trained: the model is attached, untrained, and its checkpoints are there.

    Args:
        trainer: of the fit.
        given: its arguments.
        position: of the fit among those of the script; the checkpoints tell it.
    """
    attach(trainer, given)
    content = {**trainer._checkpoint_connector.dump_checkpoint(weights_only=False), _FIT: position}
    for callback in checkpoints(trainer):
        callback.setup(trainer, given.model, "fit")
        candidates = {"epoch": torch.tensor(0), "step": torch.tensor(0)}
        path = callback._get_metric_interpolated_filepath_name(candidates, trainer, callback.best_model_path or None)
        trainer.strategy.save_checkpoint(content, path)
        callback.best_model_path, callback.best_model_score = path, torch.tensor(0.5)
        if callback.save_last:
            callback.last_model_path = callback.format_checkpoint_name(candidates, callback.CHECKPOINT_NAME_LAST)
            trainer.strategy.save_checkpoint(content, callback.last_model_path)
    trainer.state.status = sys.modules[type(trainer.state).__module__].TrainerStatus.FINISHED


def passed_over_in(checkpoint: Path) -> int | None:
    """The fit in whose place a checkpoint was written; None where there is no such file, or a real one."""
    if not checkpoint.is_file():
        return None
    found = torch.load(checkpoint, map_location="cpu", weights_only=False).get(_FIT)
    return found if isinstance(found, int) else None


def stub_evaluations(trainer: Any, replace: Replace) -> None:
    """Let validating, testing and predicting with what was not trained take no time, and give figures of no meaning."""
    kind = next(each for each in type(trainer).__mro__ if each.__module__.endswith(".trainer.trainer"))
    for name in ("validate", "test"):
        replace(kind, name, lambda *args, **kwargs: [_Figures()])
    replace(kind, "predict", lambda *args, **kwargs: [])
    for name in ("callback_metrics", "logged_metrics", "progress_bar_metrics"):
        replace(kind, name, property(lambda self: _Figures()))


class _Figures(dict[str, torch.Tensor]):
    """A figure for whatever name is asked for."""

    def __missing__(self, key: str) -> torch.Tensor:
        return torch.tensor(0.5)

    def get(self, key: str, default: Any = None) -> torch.Tensor:
        return self[key]

    def __contains__(self, key: object) -> bool:
        return True
