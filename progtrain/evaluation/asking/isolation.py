"""A process apart for code that is being judged: it hands over plain data, and none of its code comes along.

A version's script runs only in a process forked for it. What it does there to torchmetrics, to progtrain or to the
clock ends with that process; metrics are computed in the one that never ran it.
"""

from __future__ import annotations

import contextlib
import io
import os
import signal
import struct
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any, BinaryIO, NoReturn

import numpy as np
import torch
from torch import Tensor

from progtrain.errors import EvaluationError, ProgtrainError

_LENGTH = struct.Struct(">Q")
#: Threads that torch had outside `one_thread`, which a process forked within it is to have again.
_THREADS: ContextVar[int | None] = ContextVar("_THREADS", default=None)


#: Hands one value over to the process that reads.
Send = Callable[[Any], None]


def apart(produce: Callable[[Send], None]) -> Iterator[Any]:
    """Run a function in a forked process, which begins now, and yield here what it sends there, as plain data.

    Tensors, texts, numbers, tuples, lists and mappings pass; anything else arrives as its text. The forked process
    could not use several threads of torch if this one had done so before: compute here within `one_thread`.

    Args:
        produce: called in the forked process, with what hands a value over.

    Raises:
        EvaluationError: it raised, with its message, or its process ended before it was through.
    """
    reading, writing = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of threads that importing numpy began
        process = os.fork()
    if process == 0:
        os.close(reading)
        _serve(produce, writing)
    os.close(writing)
    return _yielded(process, reading)


def _yielded(process: int, reading: int) -> Iterator[Any]:
    ended = False
    try:
        with open(reading, "rb") as stream:
            for kind, value in _received(stream):
                if kind == "error":
                    raise EvaluationError(str(value))
                if kind == "end":
                    ended = True
                    return
                yield value
    finally:
        if not ended:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Compute on one thread: a process forked after torch used several would wait for them for ever."""
    before = torch.get_num_threads()
    outer = _THREADS.set(before)
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
        _THREADS.reset(outer)


def _serve(produce: Callable[[Send], None], writing: int) -> NoReturn:
    code = 1
    torch.set_num_threads(_THREADS.get() or torch.get_num_threads())
    _THREADS.set(None)
    try:
        with open(writing, "wb") as stream, contextlib.suppress(BrokenPipeError):
            code = _send_all(produce, stream)
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)  # nothing of the parent's own ending is to happen twice


def _send_all(produce: Callable[[Send], None], stream: BinaryIO) -> int:
    try:
        produce(lambda value: _send(stream, "value", _plain(value)))
    except BrokenPipeError:
        raise
    except ProgtrainError as error:
        _send(stream, "error", str(error))
        return 1
    except BaseException as error:  # noqa: BLE001 - the code being judged may raise anything; its text is passed on
        traceback.print_exc()
        _send(stream, "error", f"{type(error).__name__}: {error}")
        return 1
    _send(stream, "end", None)
    return 0


def _send(stream: BinaryIO, kind: str, value: Any) -> None:
    packed = io.BytesIO()
    torch.save((kind, value), packed)
    stream.write(_LENGTH.pack(packed.tell()))
    stream.write(packed.getbuffer())
    stream.flush()


def _received(stream: BinaryIO) -> Iterator[tuple[str, Any]]:
    """Messages until the other side is gone; reading one runs nothing, whatever it holds."""
    while len(head := stream.read(_LENGTH.size)) == _LENGTH.size:
        (length,) = _LENGTH.unpack(head)
        packed = stream.read(length)
        if len(packed) < length:
            break
        try:
            kind, value = torch.load(io.BytesIO(packed), map_location="cpu", weights_only=True)
        except Exception as error:  # what the other side wrote may be broken in any way
            raise EvaluationError(
                f"The process that ran the script sent what cannot be read safely: {error}"
            ) from error
        yield str(kind), value
    raise EvaluationError("The process that ran the script ended before every sample was answered.")


def _plain(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.detach().cpu().clone()
    if isinstance(value, np.ndarray) and value.dtype != object and value.dtype.kind not in "USM":
        return torch.from_numpy(np.ascontiguousarray(value))
    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, bool | int | float | str | bytes):
        return value
    if isinstance(value, Mapping):
        return {_plain(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, tuple | list):
        entries = [_plain(entry) for entry in value]
        return entries if isinstance(value, list) else tuple(entries)
    return str(value)
