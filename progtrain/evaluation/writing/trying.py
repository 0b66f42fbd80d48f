"""Drafted functions, tried on the batches that were traced before they are written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import torch
from torch import Tensor

from progtrain.errors import EvaluationError
from progtrain.evaluation.asking.decoding import fitted
from progtrain.evaluation.asking.inference import forward
from progtrain.evaluation.writing.drafting import Draft, are_signs, compiled, one_hot_axis
from progtrain.evaluation.writing.following import SEED, Followed
from progtrain.evaluation.writing.restating import loss_body
from progtrain.evaluation.writing.statements import NotWritten
from progtrain.evaluation.yardstick.batches import blanked, by_convention, without
from progtrain.tasks import Task, has_classes

_CLOSE: Final = 1e-3
_SCOPE: Final = {"forward": forward, "by_convention": by_convention, "without": without, "blanked": blanked}


def _functions(draft: Draft) -> tuple[Any, Any]:
    split = compiled("split", "batch", draft.split or ("return by_convention(batch)",), _SCOPE)
    body = draft.outputs or ("return forward(model, inputs)",)
    return split, compiled("outputs", "model, inputs", body, _SCOPE)


def answered(draft: Draft, followed: Followed) -> tuple[Any, Tensor, Any]:
    """Inputs, outputs and targets by a draft."""
    split, outputs = _functions(draft)
    inputs, targets = split(followed.trace.batch)
    torch.manual_seed(SEED)
    with torch.no_grad():
        return inputs, outputs(followed.trace.model, inputs), targets


def holds(draft: Draft, known: Sequence[Followed], task: Task) -> bool:
    """Whether a draft gives, on every batch, what the step compared."""
    for followed in known:
        trace, roles = followed.trace, followed.roles
        try:
            _, outputs, targets = answered(draft, followed)
        except Exception:  # noqa: BLE001 - a draft that does not fit fails in any way
            return False
        if has_classes(task) and not _has_class_each(targets, outputs, task):
            return False
        if not alike(outputs, trace.tensor(roles.outputs)) or not _same_targets(targets, trace.tensor(roles.targets)):
            return False
    return True


def _has_class_each(targets: Any, outputs: Any, task: Task) -> bool:
    """Whether there is one class where a metric takes one: neither a number for each of them, nor a sign."""
    if not isinstance(targets, Tensor) or not isinstance(outputs, Tensor):
        return False
    if task == "classification" and targets.numel() != len(targets):
        return False
    return targets.numel() != outputs.numel() or (one_hot_axis(targets) is None and not are_signs(targets))


def alike(one: Any, other: Tensor) -> bool:
    """Whether two tensors have one shape and the same numbers, as far as another order of sums leaves them."""
    if not isinstance(one, Tensor) or one.shape != other.shape:
        return False
    return torch.allclose(one.float(), other.float(), rtol=_CLOSE, atol=1e-5, equal_nan=True)


def _same_targets(targets: Any, seen: Tensor) -> bool:
    """Equal, or the classes of rows of zeros and a one; what the loss ignores may be marked otherwise."""
    if not isinstance(targets, Tensor):
        return False
    if targets.shape == seen.shape:
        return bool(((targets == seen) | (targets == -100)).all()) or (
            are_signs(seen) and torch.equal(targets, seen > 0)
        )
    axis = one_hot_axis(seen)
    return axis is not None and torch.equal(seen.argmax(dim=axis), targets)


def loss_of(known: Sequence[Followed], draft: Draft, task: Task) -> tuple[tuple[str, ...], str]:
    """The body of loss(), and why there is none."""
    try:
        _, outputs, targets = answered(draft, known[0])
        shapes = [part.shape for part in fitted(outputs, targets, task)]
        body = loss_body(known[0].trace, known[0].roles, task, known[0].size, (shapes[0], shapes[1]))
    except (NotWritten, EvaluationError) as error:
        return (), str(error)
    function = compiled("loss", "outputs, targets", body, _SCOPE)
    for followed in known:
        assert followed.roles.loss is not None
        try:
            _, outputs, targets = answered(draft, followed)
            computed = function(*fitted(outputs.cpu(), targets.cpu(), task))
        except Exception as error:  # noqa: BLE001 - drafted code fails in any way on shapes that it was not made for
            return (), f"written out, it fails: {type(error).__name__}: {error}"
        if not alike(computed.reshape(()), followed.trace.tensor(followed.roles.loss).cpu().reshape(())):
            return (), "written out, it gives another number than the step"
    return body, ""
