"""The body of loss(): the loss of a step in terms of outputs and targets alone."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from progtrain.evaluation.writing.drafting import are_signs, one_hot_axis
from progtrain.evaluation.writing.losses import LOSSES, TAKE_CLASSES, THRESHOLDS, arguments_of
from progtrain.evaluation.writing.roles import Roles
from progtrain.evaluation.writing.statements import NotWritten, Statements, constant, key
from progtrain.evaluation.writing.trace import Trace
from progtrain.evaluation.writing.tracing import Made
from progtrain.tasks import Task, has_classes, has_values


def loss_body(
    trace: Trace, roles: Roles, task: Task, size: int, given_shapes: tuple[torch.Size, torch.Size]
) -> tuple[str, ...]:
    """The body of loss(outputs, targets).

    Args:
        trace: of the step.
        roles: what it compares.
        task: what the targets are.
        size: samples in the batch.
        given_shapes: of outputs and targets as loss() is given them.

    Raises:
        NotWritten: the loss is made of more than outputs and targets.
    """
    if roles.loss is None:
        raise NotWritten("no loss was seen")
    begin = [
        line
        for name, shape, value in zip(("outputs", "targets"), given_shapes, (roles.outputs, roles.targets), strict=True)
        if (line := _as_in_the_step(name, shape, trace.tensor(value)))
    ]
    given = {} if roles.call is None else arguments_of(roles.call.function, roles.call.args, roles.call.kwargs)
    if roles.call is not None and given.get("reduction") in (None, "mean"):
        weights = {name: _constant(trace, value) for name, value in given.items() if name in ("weight", "pos_weight")}
        rows = trace.tensor(roles.targets).numel() > given_shapes[1].numel()
        one_hot = rows and roles.call.name not in TAKE_CLASSES
        return (*(begin if one_hot else []), _call(roles.call.name, given, weights, task))
    known = {key(roles.outputs): "outputs"}
    if isinstance(roles.targets, Made):
        known[key(roles.targets)] = "targets"
    path = trace.part(roles.targets) if isinstance(roles.targets, Tensor) else None
    parts = {} if path is None else {path: "targets"}
    written = Statements(trace, known, parts, (size, "len(targets)"), has_means=True)
    text = written.written(roles.loss)
    # Classes come to the loss as whole numbers, whatever the script keeps them as.
    seen = trace.tensor(roles.targets)
    begin += ["targets = targets * 2 - 1"] if has_classes(task) and are_signs(seen) else []
    floats = not has_values(task) and seen.is_floating_point() and seen.numel() == given_shapes[1].numel()
    begin += ["targets = targets.float()"] if floats else []
    return (*begin, *written.lines, f"return {text}")


def _as_in_the_step(name: str, shape: torch.Size, seen: Tensor) -> str:
    """A statement that gives a value the shape which it has in the step; empty where it has it."""
    if shape == seen.shape:
        return ""
    if shape.numel() == seen.numel():  # [N, 1] and [N]
        return f"{name} = {name}.reshape({', '.join(['-1', *map(str, seen.shape[1:])])})"
    axis = one_hot_axis(seen)
    moved = f".movedim(-1, {axis})" if axis != seen.dim() - 1 else ""
    return f"{name} = F.one_hot({name}, {seen.shape[axis or 1]}){moved}{'.float()' if seen.is_floating_point() else ''}"


def _constant(trace: Trace, value: Any) -> str:
    if isinstance(value, Made) and (trace.is_answer(value) or trace.is_given(value)):
        raise NotWritten("its weights differ from batch to batch")
    return constant(trace.tensor(value))


def _call(name: str, given: dict[str, Any], weights: dict[str, str], task: Task) -> str:
    """A call of torch's function with the scalars and small tensors that differ from its defaults."""
    stated = {key: value for key, value in LOSSES[name].items() if key != "ignore_index" or task == "classification"}
    written = [f"{each}={given[each]!r}" for each, usual in stated.items() if each in given and given[each] != usual]
    written += [f"{weight}={text}" for weight, text in weights.items()]
    targets = "targets.float()" if name in THRESHOLDS else "targets"
    return f"return F.{name}({', '.join(['outputs', targets, *written])})"
