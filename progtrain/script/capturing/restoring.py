"""A fit that goes on from a checkpoint, which decides what is trained with, whatever the source says."""

from __future__ import annotations

import sys
from typing import Any, Final

from progtrain.records import Overwritten
from progtrain.script.capturing.attaching import FitArguments

#: Knobs that are restored with the weights and the optimizers' states.
_RESTORED: Final = (
    *("lr", "momentum", "nesterov", "betas", "weight_decay", "optimizer", "optimizer_options", "parameter_groups"),
    *("scheduler", "layers", "width", "normalization", "initialization"),
)


def restore_weights(trainer: Any, given: FitArguments) -> tuple[Overwritten, ...]:
    """Have Lightning load the fit's checkpoint, if there is one, into the attached model, data and callbacks.

    Args:
        trainer: to which model and data are attached.
        given: what the fit was called with.

    Returns:
        The knobs that it decides.

    Raises:
        Exception: whatever Lightning raises where the checkpoint cannot be read, or does not fit the model.
    """
    connector, states = trainer._checkpoint_connector, sys.modules[type(trainer.state).__module__]
    path = connector._select_ckpt_path(
        states.TrainerFn.FITTING, given.ckpt_path, model_provided=True, model_connected=True
    )
    if path is None:
        return ()
    connector._restore_modules_and_callbacks(path, given.weights_only)
    stopping = [key for key in connector._loaded_checkpoint.get("callbacks", {}) if key.startswith("EarlyStopping")]
    knobs = (*_RESTORED, *(("early_stopping",) if stopping else ()))
    return tuple(
        Overwritten(knob=knob, by="which is restored from the checkpoint that ckpt_path names", known=True)
        for knob in knobs
    )


def restore_optimizers(trainer: Any) -> bool:
    """Have Lightning restore loops, optimizers and schedulers, if it has loaded a checkpoint; whether it has."""
    connector = trainer._checkpoint_connector
    if not connector._loaded_checkpoint:
        return False
    connector.restore_loops()  # how far the training has come
    connector.restore_optimizers_and_schedulers()
    connector._loaded_checkpoint = {}
    return True
