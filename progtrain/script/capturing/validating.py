"""One validation step of an untrained model, which leaves the model as it was, and the losses that it measures by."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from progtrain.script.capturing.observe_step import Recorder, log_silenced, random_states_kept
from progtrain.script.settings.knob_values import described_losses


def measured_losses(trainer: Any, model: Any, loader: Any, index: int) -> tuple[str, ...] | None:
    """The losses that the validation step computes of a loader's first batch, as a person would write them.

    Args:
        trainer: to which the model is attached.
        model: its LightningModule.
        loader: the validation loader that is measured, or None.
        index: its position among all.

    Returns:
        None where there is no such batch, or the step fails: hooks that only a fit calls may set up what it needs.
    """
    if loader is None:
        return None
    recorder = Recorder()
    try:
        with log_silenced(model), recorder:
            taken = validate_first_batch(trainer, model, loader, index)
    except (Exception, SystemExit):  # noqa: BLE001 - a user's step may fail in any way; then nothing is known of it
        return None
    return described_losses(recorder.noted()) if taken else None


def validate_first_batch(trainer: Any, model: Any, loader: Any, index: int) -> bool:
    """Run the validation step on a loader's first batch; whatever that leaves in the model is put back.

    Args:
        trainer: to which the model is attached.
        model: its LightningModule.
        loader: a validation loader.
        index: its position among all.

    Returns:
        Whether there was a batch.

    Raises:
        Exception: whatever the script's own step raises.
    """
    with _as_it_was(trainer, model), random_states_kept():
        batch = next(iter(loader), None)
        if batch is None:
            return False
        trainer.validating = True
        model.eval()
        model.on_validation_start()
        model.on_validation_epoch_start()
        batch = model._on_before_batch_transfer(batch, dataloader_idx=index)
        batch = model._apply_batch_transfer_handler(batch, device=model.device, dataloader_idx=index)
        taken = inspect.signature(model.validation_step).parameters.values()
        most = None if any(each.kind is each.VAR_POSITIONAL for each in taken) else len(taken)
        with torch.no_grad(), trainer.precision_plugin.val_step_context():
            model.validation_step(*(batch, 0, index)[:most])
    return True


@contextmanager
def _as_it_was(trainer: Any, model: Any) -> Iterator[None]:
    """Put back what a step changes of a model and its parts: modes, buffers, lists, the states of metrics."""
    stage = trainer.state.stage
    kept = [({name: _copied(value) for name, value in vars(part).items()}, part) for part in model.modules()]
    buffers = [(buffer, buffer.detach().clone()) for buffer in model.buffers()]
    try:
        yield
    finally:
        trainer.state.stage = stage
        for attributes, part in kept:
            vars(part).clear()
            vars(part).update(attributes)
        for buffer, value in buffers:
            buffer.data.copy_(value)


def _copied(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return value if value.requires_grad else value.detach().clone()
    return copy.copy(value) if type(value) in (list, dict, set) else value
