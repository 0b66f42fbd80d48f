"""From a live trainer, model and loaders to a Snapshot."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any, Final

import torch
from pydantic import JsonValue
from torch import nn
from torch.nn.parameter import is_lazy

from progtrain.records import CheckpointSettings, Layer, LoggerSettings, Overwritten, Snapshot
from progtrain.script.capturing.observe_data import Loaders, first_loader, observe_loader, shared_samples
from progtrain.script.capturing.observe_initialization import initialization
from progtrain.script.capturing.observe_optimizers import observe_optimizers
from progtrain.script.capturing.observe_step import observe_first_step
from progtrain.script.capturing.validating import measured_losses
from progtrain.script.capturing.volatile import without_the_volatile
from progtrain.script.settings.knob_values import described

#: What every Trainer adds by itself, and what `checkpoints` already tells.
_OWN_CALLBACKS: Final = frozenset({"TQDMProgressBar", "RichProgressBar", "ModelSummary", "RichModelSummary"})
_CHECKPOINT: Final = "ModelCheckpoint"


def observe(
    trainer: Any,
    model: Any,
    loaders: Loaders,
    seed: int | None,
    overwritten: tuple[Overwritten, ...] = (),
    notes: tuple[str, ...] = (),
) -> Snapshot:
    """Describe what is about to be trained.

    Args:
        trainer: a Trainer of `lightning.pytorch` or `pytorch_lightning`, to which model and data are attached.
        model: its LightningModule.
        loaders: the data loaders.
        seed: what the script seeded torch with, or None.
        overwritten: knobs that something else sets than their place in the source.
        notes: what is to be told of the fit, beside what is told of its first step.

    Raises:
        Exception: whatever the script's own `configure_optimizers` or data set raises.
    """
    setup = observe_optimizers(trainer)
    drawn = initialization(model)
    step = observe_first_step(trainer, model, loaders.train)
    train, valid = (
        observe_loader(first_loader(loaders.train), may_be_random=True),
        observe_loader(loaders.valid, may_be_random=False),
    )
    return Snapshot(
        optimizers=setup.optimizers,
        schedulers=setup.schedulers,
        max_epochs=trainer.max_epochs,
        max_steps=trainer.max_steps,
        gradient_clip_val=trainer.gradient_clip_val,
        gradient_clip_algorithm=trainer.gradient_clip_algorithm and str(trainer.gradient_clip_algorithm.value),
        accumulate_grad_batches=trainer.accumulate_grad_batches,
        precision=str(trainer.precision),
        seed=seed,
        train=train.settings,
        valid=valid.settings,
        shared=shared_samples(train, valid),
        callbacks=tuple(_described_callback(each) for each in trainer.callbacks if _is_chosen(each)),
        checkpoints=tuple(_checkpoint(each, trainer) for each in trainer.callbacks if _has_base(each, _CHECKPOINT)),
        loggers=tuple(LoggerSettings(type=type(each).__name__, log_dir=each.log_dir) for each in trainer.loggers),
        layers=tuple(_layers(model)),
        calls=step.calls,
        parameters=sum(p.numel() for p in model.parameters() if p.requires_grad and not is_lazy(p)),
        first_loss=step.loss,
        batch=step.batch,
        compared=step.compared,
        measured=measured_losses(trainer, model, loaders.valid, loaders.valid_index),
        automatic_optimization=model.automatic_optimization,
        initialization=drawn,
        overwritten=overwritten,
        notes=(*notes, *step.notes),
    )


def _layers(model: nn.Module) -> Iterator[Layer]:
    for path, module in model.named_modules():
        own = sum(p.numel() for p in module.parameters(recurse=False) if not is_lazy(p))
        is_leaf = next(module.children(), None) is None
        if module is model or not (is_leaf or own) or type(module).__module__.startswith("torchmetrics."):
            continue
        yield Layer(path=path, type=type(module).__name__, arguments=_constructor_arguments(module), parameters=own)


def _constructor_arguments(instance: object) -> dict[str, JsonValue]:
    """Constructor arguments that the instance still shows as attributes, those of its base classes included."""
    arguments: dict[str, JsonValue] = {}
    for kind in reversed(type(instance).__mro__):
        if "__init__" not in vars(kind) or kind is object:
            continue
        for name in _signature(vars(kind)["__init__"]):
            value = getattr(instance, name, getattr(instance, f"_{name}", None))
            if value is not None and _is_plain(value):
                arguments[name] = _plain(value)
    # A layer's `bias` is a flag in its constructor and a tensor on the instance.
    if isinstance(instance, nn.Module) and "bias" in _signature(type(instance).__init__):
        arguments.setdefault("bias", getattr(instance, "bias", None) is not None)
    return arguments


def _signature(function: Callable[..., Any]) -> list[str]:
    skipped = ("self", "device", "dtype", "_weight", "_freeze", "args", "kwargs", "training")
    return [name for name in inspect.signature(function).parameters if name not in skipped]


def _is_plain(value: object) -> bool:
    if isinstance(value, list | tuple):
        return all(_is_plain(each) for each in value)
    return isinstance(value, bool | int | float | str)


def _plain(value: Any) -> JsonValue:
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value


def _has_base(instance: object, name: str) -> bool:
    return any(kind.__name__ == name for kind in type(instance).__mro__)


def _is_chosen(callback: object) -> bool:
    return type(callback).__name__ not in _OWN_CALLBACKS


def _described_callback(callback: object) -> str:
    name = type(callback).__name__
    if _has_base(callback, _CHECKPOINT):
        return name
    given = _constructor_arguments(callback)
    parameters = inspect.signature(type(callback).__init__).parameters
    chosen = {k: v for k, v in given.items() if k not in parameters or parameters[k].default != v}
    return described(name, {k: without_the_volatile(k, v) for k, v in chosen.items()})


def _checkpoint(callback: Any, trainer: Any) -> CheckpointSettings:
    return CheckpointSettings(
        dirpath=None if callback.dirpath is None else str(callback.dirpath),
        filename=callback.filename,
        monitor=callback.monitor,
        mode=callback.mode,
        save_last=bool(callback.save_last),
        save_top_k=callback.save_top_k,
        keeps_end=_keeps_end(callback, trainer),
    )


def _keeps_end(callback: Any, trainer: Any) -> bool:
    """Whether a ModelCheckpoint writes last.ckpt at the end of every epoch.

    Since Lightning 2.6 `save_last` follows another checkpoint: with `monitor`, only a new one of the best.
    """
    at_end = callback._save_on_train_epoch_end
    if at_end is None:
        at_end = trainer.check_val_every_n_epoch == 1 and trainer.val_check_interval == 1.0
    always = callback.save_top_k == -1 or (callback.monitor is None and callback.save_top_k == 1)
    named = bool(callback.save_last) or callback.filename == callback.CHECKPOINT_NAME_LAST
    return bool(at_end and always and named and callback._every_n_epochs == 1)


def seed_since(before: int, environment_seed: str | None) -> int | None:
    """The seed a script chose: that of `seed_everything`, else that of `torch.manual_seed`.

    Args:
        before: `torch.initial_seed()` when the script began.
        environment_seed: what `seed_everything` left in `PL_GLOBAL_SEED`.
    """
    if environment_seed is not None:
        return int(environment_seed)
    now = torch.initial_seed()
    return None if now == before else now
