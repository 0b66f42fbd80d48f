"""What stands in a trace, in words for the person who reads or writes 03_eval.py."""

from __future__ import annotations

from torch import Tensor

from progtrain.evaluation.writing.statements import accessed
from progtrain.evaluation.writing.trace import Trace, Value
from progtrain.evaluation.writing.tracing import Made


def described(trace: Trace, value: Value, size: int) -> str:
    """What a value is, in words: the part of the batch, or what made it, and its shape with N for the samples."""
    extents = [str(extent) for extent in trace.tensor(value).shape]
    extents[:1] = ["N"] if extents[:1] == [str(size)] else extents[:1]
    shape = f"[{', '.join(extents)}]"
    return f"{_origin(trace, value)} {shape}"


def _origin(trace: Trace, value: Value) -> str:
    if isinstance(value, Tensor):
        path = trace.part(value)
        return f"batch{accessed(path)}" if path is not None else "a tensor"
    operation = trace.operation(value)
    source = operation.args[0] if operation.args else None
    if operation.name == "__getitem__":
        return f"a part of {_origin(trace, operation.args[0])}"
    if trace.is_given(value) and isinstance(source, Made | Tensor):
        return f"{operation.name.strip('_')} of {_origin(trace, source)}"
    return operation.name or trace.module_paths.get(id(operation.function), "forward") + accessed(value.path)
