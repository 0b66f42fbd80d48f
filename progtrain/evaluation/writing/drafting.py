"""From the roles in a traced step to the bodies of split() and outputs()."""

from __future__ import annotations

import keyword
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from progtrain.evaluation.writing.losses import arguments_of
from progtrain.evaluation.writing.roles import Roles
from progtrain.evaluation.writing.statements import (
    NotWritten,
    Statements,
    accessed,
    literal,
    needed_parts,
)
from progtrain.evaluation.writing.trace import Trace
from progtrain.evaluation.writing.tracing import Made, Path, paths_of
from progtrain.predictions import IGNORED
from progtrain.tasks import Task, has_classes

_HAVE_IGNORED = ("token-classification", "segmentation", "language-modelling")


@dataclass(frozen=True)
class Draft:
    """Bodies of functions of 03_eval.py; empty ones stand for the convention.

    Args:
        split: of split(batch).
        outputs: of outputs(model, inputs).
    """

    split: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()


def drafts(trace: Trace, roles: Roles, task: Task, size: int) -> Iterator[Draft]:
    """Ways to write down how a step comes to its outputs and targets, the plainest first.

    Args:
        trace: of the step.
        roles: what it compares.
        task: what the targets are.
        size: samples in the batch.
    """
    ignored = _ignored(roles, task)
    yield (
        Draft()
        if ignored is None
        else Draft(("inputs, targets = by_convention(batch)", f"return inputs, without(targets, {ignored})"))
    )
    for attempt in (_by_forward, _by_code):
        try:
            yield attempt(trace, roles, task, size)
        except NotWritten:
            continue


def why_not(trace: Trace, roles: Roles, task: Task, size: int) -> str:
    """What keeps the outputs or the targets from being written down."""
    try:
        _by_code(trace, roles, task, size)
    except NotWritten as error:
        return str(error)
    return "asked once more, or for another batch, the model does not answer as it did in the step"


def _by_forward(trace: Trace, roles: Roles, task: Task, size: int) -> Draft:
    """Inputs are what `forward` was called with."""
    operation = trace.operation(roles.outputs) if isinstance(roles.outputs, Made) else None
    if operation is None or operation.function is not None:
        raise NotWritten("the outputs are not those of forward")
    args, kwargs = operation.given
    if kwargs and args:
        raise NotWritten("forward is called by position and by name")
    if len(args) == 1 and args[0] is trace.batch:
        return _by_whole(trace, roles, task, size)
    if kwargs:
        inputs = "{" + ", ".join(f'"{name}": {_part(trace, value)}' for name, value in kwargs.items()) + "}"
    else:
        inputs = ", ".join(_part(trace, value) for value in args)
        inputs = inputs if len(args) == 1 else f"({inputs})"
    return _split(trace, roles, task, size, inputs)


def _by_code(trace: Trace, roles: Roles, task: Task, size: int) -> Draft:
    """Inputs are the parts of the batch that the outputs are made of, and the way there is written out."""
    parts = needed_parts(trace, roles.outputs)
    if not parts:
        raise NotWritten("the outputs are made of nothing that the batch holds")
    if has_classes(task) and any(path in parts for path in needed_parts(trace, roles.targets)):
        raise NotWritten("the model is given the targets too")
    names = [_name(path, position) for position, path in enumerate(parts)]
    if len(parts) == 1:
        names, begin = ["inputs"], list[str]()
        inputs = f"batch{accessed(parts[0])}"
    else:
        names = names if len(set(names)) == len(names) else [f"x{position}" for position in range(len(parts))]
        begin = [f"{', '.join(names)} = inputs"]
        inputs = "(" + ", ".join(f"batch{accessed(path)}" for path in parts) + ")"
    written = Statements(trace, {}, dict(zip(parts, names, strict=True)), (size, f"len({names[0]})"), has_model=True)
    text = written.written(roles.outputs)
    split = _split(trace, roles, task, size, inputs)
    return Draft(split.split, (*begin, *written.lines, f"return {text}"))


def _split(trace: Trace, roles: Roles, task: Task, size: int, inputs: str) -> Draft:
    parts = {path: f"batch{accessed(path)}" for path, leaf in paths_of(trace.batch) if isinstance(leaf, Tensor)}
    first = needed_parts(trace, roles.targets)
    length = f"len(batch{accessed(first[0])})" if first else "len(batch)"
    written = Statements(trace, {}, parts, (size, length))
    targets = written.written(roles.targets)
    if has_classes(task):
        targets = _classes(trace, roles, task, targets)
    ignored = _ignored(roles, task)
    if ignored is not None:
        targets = f"without({targets}, {ignored})"
    return Draft((*written.lines, f"return {inputs}, {targets}"))


def _classes(trace: Trace, roles: Roles, task: Task, targets: str) -> str:
    """Classes where the loss takes a row of zeros and a one for each."""
    rows = trace.tensor(roles.targets)
    if rows.numel() != trace.tensor(roles.outputs).numel():
        return targets
    axis = one_hot_axis(rows)
    if axis is not None:
        return f"{targets}.argmax(dim={axis})"
    if are_signs(rows):
        return f"({targets} > 0).long()"
    if not bool(((rows == 0) | (rows == 1)).all()):
        raise NotWritten("its targets are shares of classes, and metrics need one class each")
    if task == "classification" and rows.numel() > len(rows):
        raise NotWritten("its targets are several classes a sample, as in a multilabel classification")
    return targets


def are_signs(targets: Tensor) -> bool:
    """Whether the first of two classes is -1, as a hinge loss takes it."""
    return bool((targets == -1).any()) and bool((targets.abs() == 1).all())


def one_hot_axis(rows: Tensor) -> int | None:
    """The axis that classes lie on, where targets are zeros and a one for each; None where they are none such."""
    if rows.dim() < 2 or not bool(((rows == 0) | (rows == 1)).all()):
        return None
    axes = (1, rows.dim() - 1)
    return next((axis for axis in axes if rows.shape[axis] > 1 and bool((rows.sum(dim=axis) == 1).all())), None)


def _by_whole(trace: Trace, roles: Roles, task: Task, size: int) -> Draft:
    """Inputs are the whole batch without the targets."""
    path = trace.part(roles.targets) if isinstance(roles.targets, Tensor) else None
    if path is None or len(path) != 1:
        raise NotWritten("forward takes the whole batch, and the targets are not one part of it")
    ((kind, name),) = path
    if isinstance(trace.batch, dict):
        left = [each for each in trace.batch if each != name]
        if len(left) == 1:  # as a mapping it would be given to forward as that part
            split = _split(trace, roles, task, size, f"batch[{literal(left[0])}]").split
            return Draft(split, (f"return model({{{literal(left[0])}: inputs}})",))
        rest = f"{{name: part for name, part in batch.items() if name != {literal(name)}}}"
        return _split(trace, roles, task, size, rest)
    if kind == "attribute":
        return _split(trace, roles, task, size, f'blanked(batch, "{name}")')
    raise NotWritten("forward takes the whole batch, targets included")


def _part(trace: Trace, value: Any) -> str:
    path = trace.part(value) if isinstance(value, Tensor) else None
    if path is None:
        raise NotWritten("forward is called with something that is no part of the batch")
    return f"batch{accessed(path)}"


def _name(path: Path, position: int) -> str:
    last = path[-1][1] if path else ""
    usable = isinstance(last, str) and last.isidentifier() and not keyword.iskeyword(last)
    return last if usable and last not in ("model", "inputs", "batch", "torch", "F") else f"x{position}"


def _ignored(roles: Roles, task: Task) -> int | None:
    """The target of tokens or pixels that the loss passes over, where it is not the usual one."""
    if task not in _HAVE_IGNORED or roles.call is None:
        return None
    said = arguments_of(roles.call.function, roles.call.args, roles.call.kwargs).get("ignore_index", IGNORED)
    return said if isinstance(said, int) and said != IGNORED else None


def compiled(name: str, parameters: str, body: Sequence[str], names: dict[str, Any]) -> Callable[..., Any]:
    """A drafted function, to be tried before it is written."""
    text = f"def {name}({parameters}):\n" + "".join(f"    {line}\n" for line in body)
    scope: dict[str, Any] = {"torch": torch, "F": torch.nn.functional, **names}
    exec(text, scope)
    function: Callable[..., Any] = scope[name]
    return function
