"""What stands in a trace, in words for the person who reads or writes 03_eval.py."""

from __future__ import annotations

from torch import Tensor

from progtrain.evaluation.writing.statements import accessed
from progtrain.evaluation.writing.trace import Trace, Value
from progtrain.evaluation.writing.tracing import Made


def described(trace: Trace, value: Value, size: int) -> str:
    """What a value is, in words: the part of the batch, or what made it, and its shape with N for the samples."""
    extents = ["N" if extent == size else str(extent) for extent in trace.tensor(value).shape]
    shape = f"[{', '.join(extents)}]"
    if isinstance(value, Tensor):
        path = trace.part(value)
        return f"batch{accessed(path)} {shape}" if path is not None else f"a tensor {shape}"
    return f"{_maker(trace, value)} {shape}"


def _maker(trace: Trace, value: Made) -> str:
    operation = trace.operation(value)
    if operation.name == "__getitem__":
        source = operation.args[0]
        return f"a part of {_maker(trace, source) if isinstance(source, Made) else 'a tensor'}"
    return operation.name or trace.module_paths.get(id(operation.function), "forward")
