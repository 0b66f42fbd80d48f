"""What the first training step computes: its functional calls, the initial loss, the layout of a batch."""

from __future__ import annotations

import inspect
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from pydantic import JsonValue
from torch.nn.modules.module import register_module_forward_pre_hook
from torch.overrides import TorchFunctionMode

from progtrain.records import STEP_FAILED, Call
from progtrain.script.capturing.observe_data import batch_layout, first_batch
from progtrain.script.capturing.provenance import Provenance
from progtrain.script.settings.knob_values import is_loss

#: Tensor methods that ask or move, and compute nothing.
_SILENT: Final = frozenset(
    {
        *("dim", "size", "numel", "stride", "item", "tolist", "detach", "cpu", "cuda", "to", "contiguous", "numpy"),
        *("is_floating_point", "is_complex", "requires_grad_", "_set_grad_enabled", "type", "get_device"),
        *("__get__", "__set__", "__len__", "__bool__", "__float__", "__int__", "__index__", "__format__", "__repr__"),
    }
)
_LIBRARIES: Final = frozenset({"torch", "lightning", "pytorch_lightning"})


@dataclass(frozen=True)
class FirstStep:
    """One training step on the first batch."""

    calls: tuple[Call, ...] = ()
    loss: float | None = None
    batch: JsonValue = None
    compared: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()


def observe_first_step(trainer: Any, model: Any, loaders: Any) -> FirstStep:
    """Run one `training_step` without its backward pass, in training mode, and note what it calls.

    Random states are put back afterwards, and nothing is logged. A step that fails becomes a note: what it needs may
    be set up by hooks that only a fit calls.

    Args:
        trainer: to which model and data are attached.
        model: its LightningModule.
        loaders: what the script gives for training: one loader, several in a list or by name, or None.
    """
    if loaders is None:
        return FirstStep(notes=("There is no training loader.",))
    with random_states_kept():
        batch = first_batch(loaders)
        if batch is None:
            return FirstStep(notes=("The training loader is empty.",))
        layout = batch_layout(batch)
        if not model.automatic_optimization:
            return FirstStep(batch=layout, notes=("Manual optimization: the first step was not taken.",))
        recorder = Recorder()
        try:
            with log_silenced(model):
                loss = _step(trainer, model, batch, recorder)
        except Exception as error:  # noqa: BLE001 - a user's step may fail in any way, which is what the note says
            return FirstStep(batch=layout, notes=(f"{STEP_FAILED}{type(error).__name__}: {error}",))
    return FirstStep(recorder.noted(), loss, layout, recorder.compared())


def _step(trainer: Any, model: Any, batch: Any, recorder: Recorder) -> float | None:
    trainer.training = True
    model.train()
    batch = model._on_before_batch_transfer(batch)
    batch = model._apply_batch_transfer_handler(batch, device=model.device)
    recorder.trace(batch)
    names = list(inspect.signature(model.training_step).parameters)
    with trainer.precision_plugin.train_step_context(), _forward_told(model, recorder), recorder:
        output = model.training_step(batch, 0) if len(names) > 1 else model.training_step(batch)
    loss = output.get("loss") if isinstance(output, Mapping) else output
    recorder.ends_with(loss)
    return float(loss.detach()) if isinstance(loss, torch.Tensor) and loss.numel() == 1 else None


@contextmanager
def log_silenced(model: Any) -> Iterator[None]:
    """`self.log` works only inside Lightning's loops."""
    silenced = ("log", "log_dict")
    for name in silenced:
        object.__setattr__(model, name, lambda *args, **kwargs: None)
    try:
        yield
    finally:
        for name in silenced:
            object.__delattr__(model, name)


@contextmanager
def _forward_told(model: Any, recorder: Recorder) -> Iterator[None]:
    """Tell the recorder when the forward pass begins.

    That is the model's own `forward`; where it has none, or the step calls a part of the model instead, the first
    part.
    """
    handle = register_module_forward_pre_hook(lambda module, args: recorder.part_begins())
    own = model.forward

    def forward(*args: Any, **kwargs: Any) -> Any:
        recorder.forward_begins()
        return own(*args, **kwargs)

    is_own = type(model).forward.__module__.partition(".")[0] not in _LIBRARIES
    if is_own:
        object.__setattr__(model, "forward", forward)
    try:
        yield
    finally:
        handle.remove()
        if is_own:
            object.__delattr__(model, "forward")


@contextmanager
def random_states_kept() -> Iterator[None]:
    """Put the random states back afterwards."""
    states = random.getstate(), np.random.get_state()
    with torch.random.fork_rng(devices=[]):
        yield
    random.setstate(states[0])
    np.random.set_state(states[1])


class Recorder(TorchFunctionMode):
    """Notes outermost calls; a function's own inner calls are not seen."""

    def __init__(self) -> None:
        super().__init__()
        self._calls: list[Call] = []
        self._forward: int | None = None
        self._part: int | None = None
        self._provenance = Provenance()

    def trace(self, batch: Any) -> None:
        """From now on, tell what is made of which part of a batch."""
        self._provenance.begin(batch)

    def ends_with(self, loss: Any) -> None:
        """The step's own loss, for a step that calls no loss function."""
        self._provenance.end(loss)

    def compared(self) -> tuple[str, ...] | None:
        """What the loss compares answers with; None where it is not known."""
        return self._provenance.compared

    def forward_begins(self) -> None:
        """The model's own forward is entered."""
        self._forward = len(self._calls) if self._forward is None else self._forward

    def part_begins(self) -> None:
        """A module, be it the model or a part of it, is called."""
        self._part = len(self._calls) if self._part is None else self._part

    def noted(self) -> tuple[Call, ...]:
        """The calls, and which of them came before the forward pass."""
        begin = self._part if self._forward is None else self._forward
        before = [call.model_copy(update={"before_forward": True}) for call in self._calls[: begin or 0]]
        return *before, *self._calls[begin or 0 :]

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        given = dict(kwargs or {})
        name = getattr(func, "__name__", "")
        if name not in _SILENT:
            self._note(name, func, args, given)
        if is_loss(name):
            self._provenance.compares((args, given))
        result = func(*args, **given)
        self._provenance.follows((args, given), result)
        return result

    def _note(self, name: str, func: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        bound = _bound(func, name, args, kwargs)
        tensors = list(_tensors(bound.values()))
        if tensors and all(each.dim() == 0 and not each.is_floating_point() for each in tensors):
            return  # a counter, such as batch norm's
        scalars = {key: _scalar(value) for key, value in bound.items() if _is_scalar(value)}
        shapes = tuple(tuple(each.shape) for each in tensors)
        self._calls.append(Call(function=name.strip("_"), arguments=scalars, shapes=shapes))


def _bound(func: Callable[..., Any], name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments by name with defaults, from the Python signature or from torch's own schema of a built-in."""
    signature = _signature(func)
    if signature is not None:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        return dict(bound.arguments)
    for schema in torch._C._jit_get_schemas_for_operator(f"aten::{name}"):
        names = [argument.name for argument in schema.arguments]
        if len(args) <= len(names) and set(kwargs) <= set(names):
            defaults = {each.name: each.default_value for each in schema.arguments if each.has_default_value()}
            return {**dict(zip(names, args, strict=False)), **kwargs, **_missing(defaults, names[: len(args)], kwargs)}
    return {**{f"argument_{position}": value for position, value in enumerate(args)}, **kwargs}


def _signature(func: Callable[..., Any]) -> inspect.Signature | None:
    """That of a Python function; None for a built-in, and for an operator (`**`) that only wraps one."""
    if not inspect.isfunction(func):
        return None
    try:
        return inspect.signature(func)
    except ValueError:
        return None


def _missing(defaults: Mapping[str, Any], positional: Sequence[str], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in defaults.items() if name not in positional and name not in kwargs}


def _tensors(values: Iterable[Any]) -> Iterator[torch.Tensor]:
    for value in values:
        if isinstance(value, torch.Tensor):
            yield value
        elif isinstance(value, list | tuple):
            yield from _tensors(value)


def _is_scalar(value: object) -> bool:
    if isinstance(value, list | tuple):
        return all(_is_scalar(each) for each in value)
    return value is None or isinstance(value, bool | int | float | str | torch.dtype)


def _scalar(value: Any) -> JsonValue:
    if isinstance(value, list | tuple):
        return [_scalar(each) for each in value]
    return str(value) if isinstance(value, torch.dtype) else value
