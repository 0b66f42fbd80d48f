"""Where a loss written by hand brings the model's answers and the targets together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any, Final

from torch import Tensor, nn

from progtrain.evaluation.writing.trace import Trace, Value
from progtrain.evaluation.writing.tracing import Made, Operation, leaves_of

#: Give a part of a tensor.
_SELECTING: Final = frozenset({"__getitem__", "select", "narrow", "chunk", "split", "tensor_split", "unbind"})


def meeting_in(trace: Trace, operation: Operation) -> tuple[Value, Value] | None:
    """The output and the target that an operation brings together."""
    values = [leaf for leaf in leaves_of((operation.args, operation.kwargs)) if isinstance(leaf, Made | Tensor)]
    answer = next((value for value in values if trace.is_answer(value)), None)
    given = next((value for value in values if trace.is_given(value)), None)
    return None if answer is None or given is None else (answer, given)


def are_parts(trace: Trace, answers: Sequence[Value]) -> bool:
    """Whether values are made of different parts of the outputs, of which none is the answer."""
    parts = [each for answer in answers if (each := _parts_in(trace, answer))]
    return any(one.isdisjoint(other) for one, other in combinations(parts, 2))


def _parts_in(trace: Trace, answer: Value) -> frozenset[str]:
    """The selections from outputs that a value is made of."""
    found, left = set(), [answer]
    while left:
        each = left.pop()
        if isinstance(each, Made) and trace.is_answer(each):
            operation = trace.operation(each)
            if operation.name in _SELECTING:
                found.add(repr((operation.args, operation.kwargs, each.path)))
            left += operation.made()
    return frozenset(found)


def common_pair(trace: Trace, made_of: Sequence[Operation], met: tuple[Value, Value]) -> tuple[Value, Value]:
    """What all comparisons of a loss go back to: `p` and `y` where `1 - p` meets `1 - y`, and `log(p)` meets `y`.

    Args:
        trace: of the step.
        made_of: the operations of the loss.
        met: the answer and the target that are compared first.
    """
    targets = [pair[1] for operation in made_of if (pair := meeting_in(trace, operation)) is not None]
    return _common(trace, met[0], list(_compared(trace, made_of))), _common(trace, met[1], targets)


def _compared(trace: Trace, made_of: Sequence[Operation]) -> Iterator[Made]:
    """The answers, made of no targets, that go into what is made of targets."""
    mixed: set[int] = set()
    for operation in made_of:
        if meeting_in(trace, operation) is not None or any(made.number in mixed for made in operation.made()):
            mixed.add(operation.number)
            yield from (made for made in operation.made() if trace.is_answer(made) and made.number not in mixed)


def _common(trace: Trace, value: Value, others: Sequence[Value]) -> Value:
    behind = [_behind(trace, other) for other in others]
    return next((each for each in _alone(trace, value) if all(_name(each) in found for found in behind)), value)


def _behind(trace: Trace, value: Value) -> set[Any]:
    """The value, and all that it is made of."""
    found, left = set(), [value]
    while left:
        each = left.pop()
        found.add(_name(each))
        left += _operands(trace, each)
    return found


def _alone(trace: Trace, value: Value) -> Iterator[Value]:
    """The value and what it was before, as long as operations on it alone keep its shape."""
    shape = trace.tensor(value).shape
    while trace.tensor(value).shape == shape:
        yield value
        made_by = trace.operation(value).function if isinstance(value, Made) else None
        before = [each for each in _operands(trace, value) if trace.is_answer(each) or trace.is_given(each)]
        if made_by is None or isinstance(made_by, nn.Module) or len(before) != 1:
            return
        value = before[0]


def _operands(trace: Trace, value: Value) -> list[Value]:
    if isinstance(value, Tensor):
        return []
    operation = trace.operation(value)
    return [leaf for leaf in leaves_of((operation.args, operation.kwargs)) if isinstance(leaf, Made | Tensor)]


def _name(value: Value) -> Any:
    return value.number if isinstance(value, Made) else id(value)
