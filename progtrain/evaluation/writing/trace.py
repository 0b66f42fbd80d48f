"""One traced step, and what of it depends on what: the parts of the batch, the model, the values in between."""

from __future__ import annotations

import keyword
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import torch
from torch import Tensor, nn

from progtrain.evaluation.writing.tracing import Made, Operation, Path, Tracer, leaves_of, paths_of

#: Change the layout of numbers and not the numbers.
RESHAPES: Final = frozenset(
    {
        *("view", "reshape", "flatten", "unflatten", "squeeze", "unsqueeze", "permute", "transpose", "movedim"),
        *("swapaxes", "swapdims", "view_as", "reshape_as", "ravel", "contiguous", "t", "mT"),
    }
)
#: Change the type of numbers and not their meaning.
CASTS: Final = frozenset({"float", "long", "int", "double", "half", "bfloat16", "to", "type", "type_as"})

#: A tensor of a trace: what an operation made, or what was there before.
Value = Made | Tensor


@dataclass(frozen=True)
class Trace:
    """A step as it was traced on one batch.

    Args:
        model: the LightningModule.
        batch: as the step got it.
        tracer: what it recorded.
        returned: what the step returned.
    """

    model: nn.Module
    batch: Any
    tracer: Tracer
    returned: Any

    def operation(self, value: Made) -> Operation:
        """The operation that made a value."""
        return self.tracer.operations[value.number]

    def tensor(self, value: Value) -> Tensor:
        """A value's numbers."""
        if isinstance(value, Tensor):
            return value
        found = dict(paths_of(self.operation(value).result))[value.path]
        assert isinstance(found, Tensor)
        return found

    def value(self, tensor: Any) -> Value | None:
        """A tensor that the step logged or returned, as a value; None for what is no tensor."""
        if not isinstance(tensor, Tensor):
            return None
        return self.tracer.origin(tensor) or tensor

    @cached_property
    def _parts(self) -> dict[int, Path]:
        return {id(leaf): path for path, leaf in paths_of(self.batch) if isinstance(leaf, Tensor)}

    @cached_property
    def _members(self) -> dict[int, str]:
        """Tensors of the model by identity -> the expression that reaches them."""
        found: dict[int, str] = {}
        for path, module in self.model.named_modules():
            owner = reached(path)
            held = {**module._parameters, **module._buffers, **vars(module)}
            found |= {id(value): f"{owner}.{name}" for name, value in held.items() if isinstance(value, Tensor)}
        return found

    def part(self, tensor: Tensor) -> Path | None:
        """The way to a part of the batch: that very tensor, else one of equal content; None where it is none."""
        known = self._parts.get(id(tensor))
        if known is not None:
            return known
        return next((path for path, leaf in paths_of(self.batch) if _equal(leaf, tensor)), None)

    def member(self, tensor: Tensor) -> str | None:
        """The expression of a tensor that the model holds."""
        return self._members.get(id(tensor))

    @cached_property
    def module_paths(self) -> dict[int, str]:
        """Modules of the model by identity -> the expression that reaches them."""
        return {id(module): reached(path) for path, module in self.model.named_modules()}

    def ancestors(self, value: Value) -> list[Operation]:
        """The operations that a value is made of, in order."""
        needed: set[int] = set()
        left = [value.number] if isinstance(value, Made) else []
        while left:
            number = left.pop()
            if number not in needed:
                needed.add(number)
                left += [made.number for made in self.tracer.operations[number].made()]
        return [self.tracer.operations[number] for number in sorted(needed)]

    @cached_property
    def _scored(self) -> frozenset[int]:
        scored: set[int] = set()
        for operation in self.tracer.operations:
            given = leaves_of((operation.args, operation.kwargs))
            learnt = any(isinstance(leaf, Tensor) and leaf.requires_grad for leaf in given)
            own = operation.function is None or isinstance(operation.function, nn.Module)
            if own or learnt or any(made.number in scored for made in operation.made()):
                scored.add(operation.number)
        return frozenset(scored)

    def is_answer(self, value: Any) -> bool:
        """Whether a value comes out of the model."""
        return isinstance(value, Made) and value.number in self._scored

    def is_given(self, value: Any) -> bool:
        """Whether a value comes from the batch alone."""
        if isinstance(value, Tensor):
            return value.dim() > 0 and self.part(value) is not None
        return isinstance(value, Made) and not self.is_answer(value) and any(self._given_parts(value))

    def _given_parts(self, value: Made) -> Iterator[Path]:
        for operation in self.ancestors(value):
            for leaf in leaves_of((operation.args, operation.kwargs)):
                if isinstance(leaf, Tensor) and (path := self.part(leaf)) is not None:
                    yield path

    def upstream(self, value: Value, names: frozenset[str]) -> Iterator[Value]:
        """A value, and what it was before operations of these names; `y[:, None]` is one that is always passed."""
        yield value
        while isinstance(value, Made):
            operation = self.operation(value)
            source = operation.args[0] if operation.args else None
            passed = operation.name in names or _only_lays_out(operation)
            if not passed or not isinstance(source, Made | Tensor) or value.path:
                return
            value = source
            yield value


def _only_lays_out(operation: Operation) -> bool:
    """Whether it is an index that takes everything, as `y[:, None]` and `y[..., None]` do."""
    index = operation.args[1] if operation.name == "__getitem__" and len(operation.args) > 1 else ()
    steps = index if isinstance(index, tuple) else (index,)
    return bool(steps) and all(step is None or step is ... or step == slice(None) for step in steps)


def reached(path: str) -> str:
    """The expression of a module by its path: `net.1.weight` is `model.net[1].weight`."""
    return "model" + "".join(_step(part) for part in path.split(".") if part)


def _step(part: str) -> str:
    if part.isdigit():
        return f"[{part}]"
    return f".{part}" if part.isidentifier() and not keyword.iskeyword(part) else f'["{part}"]'


def _equal(one: Any, other: Tensor) -> bool:
    return (
        isinstance(one, Tensor)
        and one.dim() > 0
        and one.shape == other.shape
        and one.dtype == other.dtype
        and bool(torch.equal(one, other))
    )
