"""Asking a model as serving would: evaluation mode, no gradients, one answer a sample."""

from __future__ import annotations

import functools
import inspect
import statistics
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import lightning.pytorch
import torch
from lightning_utilities.core.apply_func import apply_to_collection
from torch import Tensor, nn

from progtrain.errors import EvaluationError
from progtrain.evaluation.yardstick.batches import Batch, Texts
from progtrain.evaluation.yardstick.stated import Outputs, Predict, Yardstick

_WARM_UP: Final = 5
_TIMED: Final = 30
#: Attribute of a model that came from the registry.
REGISTERED: Final = "progtrain_registered"


@dataclass(frozen=True)
class Asked:
    """One batch and what the model made of it; all on the CPU.

    Args:
        outputs: `[B, ...]` raw result of `forward`.
        served: `[B, ...]` result of `predict`, or one text a sample.
        targets: `[B, ...]`, or texts.
    """

    outputs: Tensor
    served: Tensor | tuple[str, ...]
    targets: Tensor | Texts


def forward(model: nn.Module, inputs: Any) -> Tensor:
    """Call the model with a batch's inputs: a tuple by position, a mapping by the names that `forward` has."""
    if isinstance(inputs, Mapping):
        named = {key: value for key, value in inputs.items() if key in inspect.signature(model.forward).parameters}
        if named:
            return _tensor(model(**named))
        return _tensor(model(*inputs.values()) if len(inputs) == 1 else model(inputs))
    return _tensor(model(*inputs) if isinstance(inputs, tuple | list) else model(inputs))


def exportable(outputs: Outputs) -> Outputs:
    """Outputs that are more than the model's own `forward`: a registered model has them in its `forward` already."""

    @functools.wraps(outputs)
    def asked(model: nn.Module, inputs: Any) -> Tensor:
        return forward(model, inputs) if getattr(model, REGISTERED, False) else outputs(model, inputs)

    return asked


@contextmanager
def predict_step_heard(model: nn.Module) -> Iterator[list[bool]]:
    """Fills the list that it gives as often as the module's `predict_step` is called."""
    heard: list[bool] = []
    own: Any = getattr(model, "predict_step", None)

    def instead(*args: Any, **kwargs: Any) -> Any:
        heard.append(True)
        return own(*args, **kwargs)

    object.__setattr__(model, "predict_step", instead)
    try:
        yield heard
    finally:
        object.__delattr__(model, "predict_step")


def has_predict_step(model: nn.Module) -> bool:
    """Whether the module defines a `predict_step` of its own."""
    own = getattr(type(model), "predict_step", None)
    return own is not None and own not in _inherited_predict_steps()


def batch_first(model: nn.Module, inputs: Any) -> Tensor:
    """Call the model with a batch's inputs and give its frames as `[B, T, C]`, also where it says `[T, B, C]`."""
    outputs = forward(model, inputs)
    return outputs.transpose(0, 1) if _is_time_first(model, inputs, outputs) else outputs


def predict_step(model: nn.Module, inputs: Any) -> Tensor | tuple[str, ...]:
    """Call the module's `predict_step`, which expects either a batch as the loader gives it or the inputs alone.

    The first is tried first, with None in the targets' place: `x, _ = batch` would tear a batch of two inputs apart.
    """
    step: Any = model.predict_step
    if isinstance(inputs, Mapping):
        return _served(step(inputs, 0))
    padded = (*inputs, None) if isinstance(inputs, tuple) else (inputs, None)
    try:
        return _served(step(padded, 0))
    except (TypeError, AttributeError, ValueError, RuntimeError):
        return _served(step(inputs, 0))


def ask(
    model: nn.Module, batches: Iterable[Batch], yardstick: Yardstick, device: torch.device, frames: bool = False
) -> Iterator[Asked]:
    """Ask the model for every batch; gradients are the caller's business.

    Args:
        model: on `device`, in evaluation mode.
        batches: of the validation set.
        yardstick: what is served, and what the raw outputs are.
        device: where the model is.
        frames: whether outputs are frames of a sequence, which some models say time first.
    """
    with _Listener(model) as listener:
        for batch in batches:
            placed = batch.to(device)
            listener.results.clear()
            served = _served(yardstick.predict(model, placed.inputs))
            # Several results may be of altered inputs; none means that predict went round the model's own forward.
            once = len(listener.results) == 1 and yardstick.outputs is None
            outputs = _tensor(listener.results[0]) if once else outputs_of(model, placed.inputs, yardstick)
            if frames and _is_time_first(model, placed.inputs, outputs):
                outputs = outputs.transpose(0, 1)
            targets = placed.targets.cpu() if isinstance(placed.targets, Tensor) else placed.targets
            yield Asked(outputs.cpu(), served.cpu() if isinstance(served, Tensor) else served, targets)


def outputs_of(model: nn.Module, inputs: Any, yardstick: Yardstick) -> Tensor:
    """What the loss and the metrics see of the model's answer: what outputs() of 03_eval.py gives, else `forward`."""
    return forward(model, inputs) if yardstick.outputs is None else yardstick.outputs(model, inputs)


def latency_ms(model: nn.Module, one: Batch, predict: Predict, device: torch.device) -> float:
    """Median time of answering one sample, in milliseconds, after a warm-up."""
    inputs = one.to(device).inputs
    durations = []
    for _ in range(_WARM_UP + _TIMED):
        begun = time.perf_counter()
        served = _served(predict(model, inputs))
        if isinstance(served, Tensor):
            served.cpu()  # waits for a device that works asynchronously
        durations.append(time.perf_counter() - begun)
    return 1000 * statistics.median(durations[_WARM_UP:])


class _Listener:
    """Hears what the model's own `forward` returns while `predict` runs, so that it need not run twice."""

    def __init__(self, model: nn.Module) -> None:
        self.results: list[Any] = []
        self._model = model

    def __enter__(self) -> _Listener:
        self._handle = self._model.register_forward_hook(lambda module, args, result: self.results.append(result))
        return self

    def __exit__(self, *exception: object) -> None:
        self._handle.remove()


def _inherited_predict_steps() -> tuple[Any, ...]:
    classic = sys.modules.get("pytorch_lightning")
    modules = (lightning.pytorch, classic) if classic is not None else (lightning.pytorch,)
    return tuple(module.LightningModule.predict_step for module in modules)


def _is_time_first(model: nn.Module, inputs: Any, outputs: Tensor) -> bool:
    """Whether the second axis is the one of samples; a single sample, asked alone, tells where both are as long."""
    count = _count(inputs)
    if outputs.shape[0] == outputs.shape[1] == count and count > 1:
        one = forward(model, apply_to_collection(inputs, Tensor, lambda tensor: tensor[:1]))
        return one.shape[0] != 1
    return outputs.shape[0] != count and outputs.shape[1] == count


def _count(inputs: Any) -> int:
    if isinstance(inputs, Tensor):
        return len(inputs)
    return _count(next(iter(inputs.values() if isinstance(inputs, Mapping) else inputs)))


def _served(result: Any) -> Tensor | tuple[str, ...]:
    """What was served: a tensor, or texts."""
    if isinstance(result, list | tuple) and result and all(isinstance(entry, str) for entry in result):
        return tuple(result)
    return _tensor(result)


def _tensor(result: Any) -> Tensor:
    """The tensor of a result: itself, its `logits`, or the first of several."""
    if isinstance(result, Mapping) and "logits" in result:
        result = result["logits"]
    elif isinstance(result, tuple | list) and result:
        result = result[0]
    if isinstance(result, Tensor):
        return result
    raise EvaluationError(
        f"Expected the model to return a tensor, a mapping with 'logits' or a tuple that begins with one, "
        f"got {type(result).__name__}. Say in predict() of 03_eval.py what is served."
    )
