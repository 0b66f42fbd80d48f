"""A traced value as Python text that a person reads in 03_eval.py."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from progtrain.evaluation.writing.losses import arguments_of
from progtrain.evaluation.writing.trace import Trace, Value
from progtrain.evaluation.writing.tracing import Made, Operation, Path, leaves_of

_INFIX: Final = {
    **{"add": "+", "__add__": "+", "sub": "-", "__sub__": "-", "mul": "*", "__mul__": "*"},
    **{"div": "/", "true_divide": "/", "__truediv__": "/", "floor_divide": "//", "__floordiv__": "//"},
    **{"pow": "**", "__pow__": "**", "matmul": "@", "__matmul__": "@", "remainder": "%", "__mod__": "%"},
    **{"gt": ">", "__gt__": ">", "lt": "<", "__lt__": "<", "ge": ">=", "__ge__": ">=", "le": "<=", "__le__": "<="},
    **{"eq": "==", "__eq__": "==", "ne": "!=", "__ne__": "!=", "__and__": "&", "__or__": "|"},
}
_REFLECTED: Final = {
    **{"__radd__": "+", "__rsub__": "-", "rsub": "-", "__rmul__": "*", "__rdiv__": "/", "__rtruediv__": "/"},
    **{"__rpow__": "**", "__rmatmul__": "@"},
}
_PREFIX: Final = {"neg": "-", "__neg__": "-", "__invert__": "~", "bitwise_not": "~"}
#: Functions whose integers may be the number of samples in the batch.
_SIZED: Final = frozenset(
    {
        *("view", "reshape", "expand", "unflatten", "repeat", "zeros", "ones", "full", "arange", "new_zeros"),
        *("new_ones", "new_full", "new_empty", "repeat_interleave", "broadcast_to", "eye", "empty", "rand", "randn"),
    }
)
#: Make a mean of a sum, where their integers may be that number too.
_DIVIDES: Final = frozenset({"div", "true_divide", "__truediv__"})
#: Begins why a loss cannot be written that takes more of the batch than what was found to be its target.
NEEDS_BATCH: Final = "it needs batch"
_WIDTH: Final = 60
_LARGEST_CONSTANT: Final = 64
_MOST_STATEMENTS: Final = 40


class NotWritten(Exception):
    """A value cannot be written as text; the message says which part of it."""


class Statements:
    """Writes values of a trace in terms of values that have names already.

    Args:
        trace: of the step.
        known: text of values that are not followed further, by `key`.
        parts: text of the batch's parts, by their path.
        size: samples in the batch, and the text of that number.
        has_model: whether the text may use the model.
        has_means: whether sums may be divided by the number of samples.
    """

    def __init__(
        self,
        trace: Trace,
        known: Mapping[Any, str],
        parts: Mapping[Path, str],
        size: tuple[int, str],
        *,
        has_model: bool = False,
        has_means: bool = False,
    ) -> None:
        self.lines: list[str] = []
        self._known: dict[Any, str] = dict(known)
        self._trace, self._parts, self._size = trace, parts, size
        self._has_model, self._has_means = has_model, has_means
        self._uses: Counter[Any] = Counter()

    def written(self, value: Value) -> str:
        """The expression of a value; statements that it needs before it go to `lines`.

        Raises:
            NotWritten: it is made of something that has no text.
        """
        self._uses = Counter(self._used(value))
        text = self._text(value)
        if self.lines and self.lines[-1].startswith(f"{text} = "):
            return self.lines.pop().removeprefix(f"{text} = ")
        return text

    def _used(self, value: Value) -> list[Any]:
        """The key of every value that is used, as often as it is."""
        found, left, seen = [key(value)], [value], set()
        while left:
            each = left.pop()
            if key(each) in self._known or key(each) in seen or not isinstance(each, Made):
                continue
            seen.add(key(each))
            operation = self._trace.operation(each)
            for made in operation.made():
                found.append(key(made))
                left.append(made)
        return found

    def _text(self, value: Value) -> str:
        known = self._known.get(key(value))
        if known is not None:
            return known
        if isinstance(value, Tensor):
            return self._leaf(value)
        operation = self._trace.operation(value)
        text = self._call(operation) + accessed(value.path)
        if len(text) > _WIDTH or self._uses[key(value)] > 1:
            if len(self.lines) >= _MOST_STATEMENTS:
                raise NotWritten(f"it takes more than {_MOST_STATEMENTS} statements")
            name = f"v{len(self.lines) + 1}"
            self.lines.append(f"{name} = {text}")
            self._known[key(value)] = name
            return name
        return text

    def _leaf(self, tensor: Tensor) -> str:
        member = self._trace.member(tensor)
        if member is not None and self._has_model:
            return member
        if tensor.requires_grad:
            raise NotWritten("it needs the weights of the model")
        part = self._trace.part(tensor) if member is None else None
        if part is None:
            return constant(tensor)
        if part not in self._parts:
            raise NotWritten(f"{NEEDS_BATCH}{accessed(part)} too")
        return self._parts[part]

    def _call(self, operation: Operation) -> str:
        name, args = _plain_name(operation), operation.args
        if isinstance(operation.function, nn.Module) or operation.function is None:
            return f"{self._module(operation.function)}({self._arguments(operation)})"
        if name in _INFIX and len(args) == 2 and not operation.kwargs:
            sized = self._has_means and name in _DIVIDES
            return f"{self._operand(args[0])} {_INFIX[name]} {self._operand(args[1], sized)}"
        if name in _REFLECTED and len(args) == 2 and not operation.kwargs:
            return f"{self._operand(args[1])} {_REFLECTED[name]} {self._operand(args[0])}"
        if name in _PREFIX:
            return f"{_PREFIX[name]}{self._operand(args[0])}"
        if name == "__getitem__":
            return f"{self._operand(args[0])}[{self._index(args[1])}]"
        if name == "__get__":
            return f"{self._operand(args[0])}.{operation.function.__self__.__name__}"
        if name == "__setitem__":
            raise NotWritten("it assigns to a part of a tensor")
        return f"{self._function(operation)}({self._arguments(operation, 1 if self._is_method(operation) else 0)})"

    def _module(self, module: nn.Module | None) -> str:
        if not self._has_model:
            raise NotWritten("it needs more of the model than its outputs")
        if module is None:
            return "model"
        path = self._trace.module_paths.get(id(module))
        if path is None:
            raise NotWritten(f"it calls a {type(module).__name__} that is no part of the model")
        return path

    def _is_method(self, operation: Operation) -> bool:
        own = getattr(Tensor, operation.name, None)
        return own is not None and own is operation.function and isinstance(operation.args[0], Made | Tensor)

    def _function(self, operation: Operation) -> str:
        name = operation.name
        if self._is_method(operation):
            return f"{self._operand(operation.args[0])}.{_plain_name(operation)}"
        for prefix, module in (("F", F), ("torch", torch), ("torch.special", torch.special), ("torch.fft", torch.fft)):
            if getattr(module, name, None) is operation.function:
                return f"{prefix}.{name}"
        if getattr(torch.linalg, name, None) is operation.function:
            return f"torch.linalg.{name}"
        raise NotWritten(f"it calls {name or operation.function!r}")

    def _arguments(self, operation: Operation, begin: int = 0) -> str:
        sized = operation.name in _SIZED
        given = [self._value(value, sized) for value in operation.args[begin:]]
        told = arguments_of(operation.function, operation.args, operation.kwargs)
        named = {name: value for name, value in operation.kwargs.items() if name != "device" and name in told}
        return ", ".join([*given, *(f"{name}={self._value(value, sized)}" for name, value in named.items())])

    def _operand(self, value: Any, sized: bool = False) -> str:
        text = self._value(value, sized)
        return f"({text})" if _is_loose(text) else text

    def _value(self, value: Any, sized: bool = False) -> str:
        if isinstance(value, Made | Tensor):
            return self._text(value)
        if sized and type(value) is int and value == self._size[0]:
            return self._size[1]
        if isinstance(value, list | tuple):
            inner = ", ".join(self._value(each, sized) for each in value)
            return f"[{inner}]" if isinstance(value, list) else f"({inner}{',' if len(value) == 1 else ''})"
        if isinstance(value, dict):
            return "{" + ", ".join(f"{literal(name)}: {self._value(each)}" for name, each in value.items()) + "}"
        if value == range(self._size[0]):
            return f"range({self._size[1]})"
        return literal(value)

    def _index(self, index: Any) -> str:
        if isinstance(index, tuple):
            return ", ".join(self._index(each) for each in index)
        if isinstance(index, slice):
            begin, end, step = (
                "" if part is None else self._value(part) for part in (index.start, index.stop, index.step)
            )
            return f"{begin}:{end}" + (f":{step}" if step else "")
        return "..." if index is Ellipsis else self._value(index)


def key(value: Value) -> Any:
    """What tells one value of a trace from another."""
    return (value.number, value.path) if isinstance(value, Made) else id(value)


def accessed(path: Path) -> str:
    """The text that leads to a part: `[0]`, `["x"]`, `.logits`."""
    return "".join(f".{step}" if kind == "attribute" else f"[{step!r}]" for kind, step in path).replace("'", '"')


def constant(tensor: Tensor) -> str:
    """A small tensor written out.

    Raises:
        NotWritten: it is too large for that.
    """
    if tensor.numel() > _LARGEST_CONSTANT:
        raise NotWritten(f"it needs a tensor of shape {list(tensor.shape)} that neither the batch nor the model holds")
    numbers = tensor.detach().cpu()
    return f"torch.tensor({numbers.tolist()!r}, dtype={numbers.dtype})"


def literal(value: Any) -> str:
    """A plain value as Python writes it.

    Raises:
        NotWritten: it is no plain value.
    """
    if isinstance(value, torch.dtype | torch.memory_format):
        return str(value)
    if isinstance(value, float) and not math.isfinite(value):
        return f'float("{value}")'
    if value is None or isinstance(value, bool | int | float):
        return repr(value)
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    raise NotWritten(f"it needs a {type(value).__name__}")


def _is_loose(text: str) -> bool:
    """Whether an operator stands outside of all brackets."""
    depth = 0
    for sign in text:
        depth += (sign in "([{") - (sign in ")]}")
        if depth == 0 and sign in " -~":
            return True
    return False


def _plain_name(operation: Operation) -> str:
    """The name of an operation; of one that changes a tensor in place, the one that gives a new tensor."""
    name, plain = operation.name, operation.name.removesuffix("_")
    if name.startswith("__i") and name.endswith("__") and f"__{name[3:]}" in _INFIX:
        return f"__{name[3:]}"
    return plain if name != plain and not name.endswith("__") and hasattr(Tensor, plain) else name


def needed_parts(trace: Trace, value: Value) -> list[Path]:
    """The parts of the batch that a value is made of, in the order of their first use."""
    found: dict[Path, None] = {}
    leaves = [value] if isinstance(value, Tensor) else []
    for operation in trace.ancestors(value):
        leaves += [leaf for leaf in leaves_of((operation.args, operation.kwargs)) if isinstance(leaf, Tensor)]
    for leaf in leaves:
        path = trace.part(leaf) if trace.member(leaf) is None else None
        if path is not None:
            found.setdefault(path)
    return list(found)
