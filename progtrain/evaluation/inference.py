"""Asking a model as serving would: evaluation mode, no gradients, one answer a sample."""

from __future__ import annotations

import inspect
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import lightning.pytorch
import torch
from torch import Tensor, nn

from progtrain.errors import EvaluationError
from progtrain.evaluation.batches import Batch
from progtrain.evaluation.names import Task

_WARM_UP: Final = 5
_TIMED: Final = 30

Predict = Callable[[nn.Module, Any], Any]
Loss = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Answers:
    """What a model answered, row i being sample i; all on the CPU.

    Args:
        outputs: `[N, ...]` raw results of `forward`.
        served: `[N, ...]` results of `predict`.
        targets: `[N, ...]`.
    """

    outputs: Tensor
    served: Tensor
    targets: Tensor


def forward(model: nn.Module, inputs: Any) -> Tensor:
    """Call the model with a batch's inputs: a tuple by position, a mapping by the names that `forward` has."""
    if isinstance(inputs, Mapping):
        named = {key: value for key, value in inputs.items() if key in inspect.signature(model.forward).parameters}
        if named:
            return _tensor(model(**named))
        return _tensor(model(*inputs.values()) if len(inputs) == 1 else model(inputs))
    return _tensor(model(*inputs) if isinstance(inputs, tuple | list) else model(inputs))


def has_predict_step(model: nn.Module) -> bool:
    """Whether the module defines a `predict_step` of its own."""
    own = getattr(type(model), "predict_step", None)
    return own is not None and own not in _inherited_predict_steps()


def predict_step(model: nn.Module, inputs: Any) -> Tensor:
    """Call the module's `predict_step`, which expects either a batch as the loader gives it or the inputs alone.

    The first is tried first, with None in the targets' place: `x, _ = batch` would tear a batch of two inputs apart.
    """
    step: Any = model.predict_step
    if isinstance(inputs, Mapping):
        return _tensor(step(inputs, 0))
    padded = (*inputs, None) if isinstance(inputs, tuple) else (inputs, None)
    try:
        return _tensor(step(padded, 0))
    except (TypeError, AttributeError, ValueError, RuntimeError):
        return _tensor(step(inputs, 0))


def answer_all(model: nn.Module, batches: Iterable[Batch], predict: Predict, device: torch.device) -> Answers:
    """Answer every batch.

    Raises:
        EvaluationError: there are no samples.
    """
    outputs, served, targets = [], [], []
    with torch.inference_mode(), _Listener(model) as listener:
        for batch in batches:
            placed = batch.to(device)
            listener.results.clear()
            served.append(_tensor(predict(model, placed.inputs)).cpu())
            # Several results may be of altered inputs; none means that predict went round the model's own forward.
            known = _tensor(listener.results[0]) if len(listener.results) == 1 else forward(model, placed.inputs)
            outputs.append(known.cpu())
            targets.append(batch.targets)
    if not targets:
        raise EvaluationError("Expected validation samples, got an empty validation loader. Fill dataset/prepdata.")
    return Answers(torch.cat(outputs), torch.cat(served), torch.cat(targets))


def answers_of(served: Tensor, targets: Tensor, task: Task) -> Tensor:
    """The answers in the targets' shape.

    Args:
        served: `[N, ...]` values for a regression; for a classification class indices, scores `[N, C, ...]`, or the
            probability of the second class.
        targets: `[N, ...]`.
        task: what the targets are.

    Raises:
        EvaluationError: what was served is none of these.
    """
    if task == "classification" and served.is_floating_point():
        served = served > 0.5 if served.numel() == targets.numel() else served.argmax(dim=1)
    if served.numel() != targets.numel():
        raise EvaluationError(
            f"Expected one answer a target of shape {list(targets.shape)}, got {list(served.shape)}. "
            "Say in predict() of 03_eval.py what is served."
        )
    answers = served.reshape(targets.shape)
    return answers.long() if task == "classification" else answers.float()


def fitted(outputs: Tensor, targets: Tensor, task: Task) -> tuple[Tensor, Tensor]:
    """Outputs and targets in the shapes that losses and metrics expect: `[N, 1]` and `[N]` become alike.

    Raises:
        EvaluationError: they cannot belong together.
    """
    targets = targets.long() if task == "classification" else targets.float()
    if targets.ndim > 1 and targets.shape[-1] == 1:
        targets = targets.squeeze(-1)
    if outputs.numel() == targets.numel():
        return outputs.float().reshape(targets.shape), targets
    scores_of_classes = outputs.ndim == targets.ndim + 1 and outputs.select(1, 0).shape == targets.shape
    if task == "classification" and scores_of_classes:
        return outputs.float(), targets
    raise EvaluationError(
        f"Expected {task} outputs that fit targets of shape {list(targets.shape)}, got {list(outputs.shape)}. "
        "The model's forward must return one value a target, or for classes one score a class."
    )


def latency_ms(model: nn.Module, one: Batch, predict: Predict, device: torch.device) -> float:
    """Median time of answering one sample, in milliseconds, after a warm-up."""
    inputs = one.to(device).inputs
    durations = []
    with torch.inference_mode():
        for _ in range(_WARM_UP + _TIMED):
            begun = time.perf_counter()
            _tensor(predict(model, inputs)).cpu()  # .cpu() waits for a device that works asynchronously
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
