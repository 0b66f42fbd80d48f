"""Which value of a traced step is the output, which the target, and which loss compares them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import torch
from torch import Tensor, nn

from progtrain.evaluation.writing.comparing import are_parts, common_pair, meeting_in
from progtrain.evaluation.writing.losses import LOSSES, TAKE_CLASSES, arguments_of
from progtrain.evaluation.writing.statements import needed_parts
from progtrain.evaluation.writing.trace import CASTS, RESHAPES, Trace, Value
from progtrain.evaluation.writing.tracing import Made, Operation, leaves_of
from progtrain.evaluation.writing.wording import described
from progtrain.tasks import Task, has_classes, has_values

#: Keep the order of scores; behind them stands what a model really answers.
_MONOTONE: Final = frozenset({"log_softmax", "softmax", "sigmoid", "logsigmoid", "log", "clamp", "clip", "clamp_min"})
#: Make decisions of scores.
_DECIDING: Final = frozenset({"argmax", "gt", "ge", "__gt__", "__ge__", "round", "max", "topk"})
_LOSS_NAME: Final = re.compile(r"(^|[_/.\- ])(loss|objective|nll|elbo|cost)($|[_/.\- ])", re.IGNORECASE)
#: Says of a loss that it is the whole one.
_WHOLE_LOSS: Final = re.compile(r"((val|valid|validation|dev|eval|total)[_/.\- ]*)*loss(_epoch)?", re.IGNORECASE)


@dataclass(frozen=True)
class Roles:
    """What a step compares.

    Args:
        outputs: of the model, `[B, ...]`.
        targets: from the batch, `[B, ...]`.
        loss: the scalar that is made of them; None where they are compared for another end, as to count hits.
        call: the loss function of torch that gives exactly this scalar; None where more goes into it.
        logged_as: the name that the scalar is logged under; empty where it is returned only.
    """

    outputs: Value
    targets: Value
    loss: Value | None
    call: Operation | None
    logged_as: str


@dataclass(frozen=True)
class NotFollowed:
    """Why a step was not followed, in words for the person who writes 03_eval.py."""

    reason: str


def find_roles(trace: Trace, task: Task, monitored: frozenset[str], size: int) -> Roles | NotFollowed:
    """Find output, target and loss in a traced step.

    Args:
        trace: of the step.
        task: what the targets are.
        monitored: names that checkpoints watch.
        size: samples in the batch.
    """
    followed, reasons, parts = list[Roles](), list[str](), set[int]()
    for name, scalar in _scalars(trace, monitored):
        if isinstance(scalar, Made) and scalar.number in parts:
            continue  # a part of a loss is not measured in its place
        found = _roles_of(trace, task, name, scalar, size)
        if isinstance(found, Roles):
            followed.append(found)
        else:
            reasons.append(found.reason)
            parts |= {operation.number for operation in trace.ancestors(scalar)}
    if followed:
        return _one_of(trace, followed, monitored, size)
    if not reasons:
        for operation in trace.tracer.operations:
            pair = meeting_in(trace, operation)
            found = NotFollowed("") if pair is None else _met(trace, task, pair, None, "", size)
            if isinstance(found, Roles):
                return found
    return NotFollowed(reasons[0] if reasons else "it logs and returns no loss that is made of the model's outputs")


def _one_of(trace: Trace, followed: Sequence[Roles], monitored: frozenset[str], size: int) -> Roles | NotFollowed:
    """The likeliest loss, unless nothing tells which of several heads is meant."""
    first = followed[0]
    if not first.logged_as or first.logged_as in monitored or _WHOLE_LOSS.fullmatch(first.logged_as):
        return first
    own = needed_parts(trace, first.targets)
    others = [each for each in followed if _LOSS_NAME.search(each.logged_as)]
    others = [each for each in others if needed_parts(trace, each.targets) != own]
    if not others:
        return first
    places = "; ".join(
        f"{each.logged_as} of {_pair(trace, each.outputs, each.targets, size)}" for each in (first, *others)
    )
    return NotFollowed(f"it logs several losses, and no checkpoint watches one of them ({places})")


def _scalars(trace: Trace, monitored: frozenset[str]) -> Iterator[tuple[str, Value]]:
    """What may be the loss, the likeliest first: what a checkpoint watches, what is called so, what is returned."""
    named = [(name, value) for name, each in trace.tracer.logged.items() if (value := _scalar(trace, each)) is not None]
    losses = [(name, value) for name, value in named if _LOSS_NAME.search(name)]
    yield from sorted(losses, key=lambda pair: (pair[0] not in monitored, len(pair[0])))
    returned = trace.returned
    if isinstance(returned, dict):
        returned = next((returned[key] for key in returned if _LOSS_NAME.search(str(key))), None)
    value = _scalar(trace, returned)
    if value is not None:
        yield "", value
    # A mean absolute error may be all that is logged: by another name, it is the loss.
    for name, other in named:
        if isinstance(other, Made) and trace.operation(other).name in LOSSES and not _LOSS_NAME.search(name):
            yield name, other


def _scalar(trace: Trace, logged: Any) -> Value | None:
    value = _kept_by(trace, logged) if isinstance(logged, nn.Module) else trace.value(logged)
    if value is None or trace.tensor(value).numel() != 1 or not trace.tensor(value).is_floating_point():
        return None
    return value if trace.is_answer(value) else None


def _kept_by(trace: Trace, metric: nn.Module) -> Value | None:
    """What a metric object that keeps a mean was given."""
    given = [operation.args for operation in trace.tracer.operations if operation.function is metric]
    return given[0][0] if len(given) == 1 and len(given[0]) == 1 and isinstance(given[0][0], Made) else None


def _roles_of(trace: Trace, task: Task, name: str, scalar: Value, size: int) -> Roles | NotFollowed:
    made_of = trace.ancestors(scalar)
    calls = [operation for operation in made_of if operation.name in LOSSES and _compares(trace, operation)]
    pairs = {}
    for call in calls:
        outputs, targets = _compared(call)
        both = _batch_first(trace, outputs, size), _batch_first(trace, targets, size, RESHAPES | CASTS)
        pairs[_key(both[0]), _key(both[1])] = both
    if len(pairs) > 1:
        places = dict.fromkeys(f"{call.name} of {_pair(trace, *_compared(call), size)}" for call in calls)
        if len(places) == 1:
            return NotFollowed(f"it compares one sample after the other in a loop ({next(iter(places))})")
        return NotFollowed(f"several losses compare different outputs and targets ({'; '.join(places)})")
    if pairs:
        ((outputs, targets),) = pairs.values()
        exact = calls[0] if isinstance(scalar, Made) and scalar.number == calls[0].number else None
        return _checked(trace, Roles(outputs, targets, scalar, exact, name), task, size)
    meetings = [pair for operation in made_of if (pair := meeting_in(trace, operation)) is not None]
    if not meetings:
        return NotFollowed("no operation compares an output of the model with a part of the batch")
    if are_parts(trace, [answer for answer, _ in meetings]):
        return NotFollowed("it compares several parts of the outputs one by one, as quantiles or classes in a loop")
    return _met(trace, task, common_pair(trace, made_of, meetings[0]), scalar, name, size)


def _met(
    trace: Trace, task: Task, met: tuple[Value, Value], scalar: Value | None, name: str, size: int
) -> Roles | NotFollowed:
    passed = RESHAPES if has_values(task) else RESHAPES | _MONOTONE | (_DECIDING if scalar is None else frozenset())
    outputs, targets = _batch_first(trace, met[0], size, passed), _batch_first(trace, met[1], size, RESHAPES | CASTS)
    return _checked(trace, Roles(outputs, targets, scalar, None, name), task, size)


def _compares(trace: Trace, call: Operation) -> bool:
    outputs, targets = _compared(call)
    return trace.is_answer(outputs) and isinstance(targets, Made | Tensor) and not trace.is_answer(targets)


def _compared(call: Operation) -> tuple[Any, Any]:
    given = arguments_of(call.function, call.args, call.kwargs)
    values = [value for value in given.values() if isinstance(value, Made | Tensor)]
    return (
        given.get("input", given.get("log_probs", values[0] if values else None)),
        given.get("target", given.get("targets", values[1] if len(values) > 1 else None)),
    )


def _batch_first(trace: Trace, value: Value, size: int, passed: frozenset[str] = RESHAPES) -> Value:
    """The value as it was before it was laid out otherwise: the earliest that has a row for every sample."""
    found = value
    for earlier in trace.upstream(value, passed):
        shape = trace.tensor(earlier).shape
        if len(shape) > 0 and shape[0] == size:
            found = earlier
    return found


def _checked(trace: Trace, roles: Roles, task: Task, size: int) -> Roles | NotFollowed:
    for word, value in (("output", roles.outputs), ("target", roles.targets)):
        shape = trace.tensor(value).shape
        if len(shape) == 0 or shape[0] != size:
            return NotFollowed(
                f"the {word} of the loss has the shape {list(shape)}, which is no row a sample of {size}"
            )
    classes = _classes_behind(trace, roles, size) if has_classes(task) else roles.targets
    if classes is roles.targets:
        return roles
    takes_both = roles.call is not None and roles.call.name in TAKE_CLASSES
    return replace(roles, targets=classes, call=roles.call if takes_both else None)


def _classes_behind(trace: Trace, roles: Roles, size: int) -> Value:
    """The classes that the step makes a row of zeros and a one, or a sign, of; the targets where it does neither."""
    outputs, targets = trace.tensor(roles.outputs), trace.tensor(roles.targets)
    made_of = trace.ancestors(roles.targets) if targets.numel() == outputs.numel() else []
    for operation in reversed(made_of):
        for value in leaves_of((operation.args, operation.kwargs)):
            if isinstance(value, Made | Tensor) and trace.is_given(value):
                classes = trace.tensor(value)
                whole = not classes.is_floating_point() and classes.dtype != torch.bool
                of_signs = bool((targets < 0).any()) and bool(((classes == 0) | (classes == 1)).all())
                if whole and classes.shape[0] == size and (of_signs or classes.numel() < targets.numel()):
                    return _batch_first(trace, value, size, RESHAPES | CASTS)
    return roles.targets


def _key(value: Value) -> Any:
    return (value.number, value.path) if isinstance(value, Made) else id(value)


def _pair(trace: Trace, outputs: Value, targets: Value, size: int) -> str:
    return f"{described(trace, outputs, size)} and {described(trace, targets, size)}"
