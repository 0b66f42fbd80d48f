"""How outputs are read as answers: by a threshold, or by the module's own predict_step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import torch
from torch import Tensor

from progtrain.evaluation.asking.inference import has_predict_step, predict_step
from progtrain.evaluation.writing.drafting import Draft, are_signs
from progtrain.evaluation.writing.following import Followed
from progtrain.evaluation.writing.losses import THRESHOLDS
from progtrain.evaluation.writing.statements import key
from progtrain.evaluation.writing.trace import CASTS, RESHAPES
from progtrain.evaluation.writing.tracing import Made
from progtrain.evaluation.writing.trying import alike, answered
from progtrain.tasks import Task, has_values

#: Take scores for logits.
_OF_LOGITS: Final = frozenset({"sigmoid", "logsigmoid", "softplus"})
#: Pull scores towards the number of the class.
_OF_DIFFERENCES: Final = frozenset({"mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss"})
_MAKE_CHANCES: Final = frozenset({"sigmoid", "softmax", "clamp", "exp"})
_ABOVE: Final = frozenset({"gt", "ge", "__gt__", "__ge__"})


def threshold_of(followed: Followed) -> str:
    """Above which a single score means the second class: as the step itself reads it, else by the scores' range.

    Returns:
        A number; empty where nothing tells, as of a distance.
    """
    trace = followed.trace
    own = {key(followed.roles.outputs)}
    for operation in trace.tracer.operations:
        source = operation.args[0] if operation.args else operation.kwargs.get("input")
        if not isinstance(source, Made | Tensor) or not own & {
            key(each) for each in trace.upstream(source, RESHAPES | CASTS)
        }:
            continue
        if operation.name in THRESHOLDS:
            return THRESHOLDS[operation.name]
        if operation.name in _OF_LOGITS:
            return "0"
        if operation.name in _OF_DIFFERENCES:
            compared = [trace.tensor(each) for each in operation.args[:2] if isinstance(each, Made | Tensor)]
            return "0" if any(are_signs(each) for each in compared) else "0.5"  # halfway between both classes
        if operation.name in _ABOVE and len(operation.args) > 1 and isinstance(operation.args[1], int | float):
            return f"{operation.args[1]:g}"
    outputs = trace.tensor(followed.roles.outputs).float()
    if bool((outputs < 0).any()):
        return "0"
    *_, origin = trace.upstream(followed.roles.outputs, RESHAPES | CASTS)
    maker = trace.operation(origin).name if isinstance(origin, Made) else ""
    may_be_chances = not maker or maker in _MAKE_CHANCES  # the model's own forward, and modules, have no name
    return "0.5" if may_be_chances and bool((outputs <= 1).all()) else ""


def asks_predict_step(model: Any, known: Sequence[Followed], draft: Draft, task: Task) -> tuple[bool, str]:
    """Whether predict_step answers what the outputs mean, and why it does not."""
    if not has_predict_step(model):
        return False, ""
    for followed in known:
        inputs, outputs, targets = answered(draft, followed)
        try:
            with torch.no_grad():
                served = predict_step(model, inputs)
        except Exception as error:  # noqa: BLE001 - a user's predict_step may raise anything
            return False, f"asked with the inputs it raises {type(error).__name__}: {error}"
        reason = _differs(served, outputs, targets, task, threshold_of(known[0]))
        if reason:
            return False, reason
    return True, ""


def _differs(served: Any, outputs: Tensor, targets: Tensor, task: Task, threshold: str) -> str:
    """Why what was served is not read as answers; empty where it is."""
    if not isinstance(served, Tensor):
        return "it gives texts"
    shapes = (
        f"it gives {list(served.shape)} {str(served.dtype).removeprefix('torch.')}, the loss sees {list(outputs.shape)}"
    )
    if has_values(task):
        same = served.numel() == outputs.numel() and alike(served.reshape(outputs.shape), outputs)
        return "" if same else f"{shapes} in another unit"
    if not served.is_floating_point():
        return "" if served.numel() == targets.numel() else shapes
    if served.shape != outputs.shape:
        return shapes
    if outputs.numel() > targets.numel():
        return ""
    same = torch.equal(served > 0.5, outputs > float(threshold or 0))
    return "" if same else f"{shapes}, and they are no probabilities of the second class"
