"""Going on with a script in a forked process, which may do nothing but tell what it meets."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import sys
import time
import warnings
from collections.abc import Iterator
from typing import Any, Final, NoReturn

import torch

#: What a script does to the world once it has trained: it reports, uploads, shuts the machine down.
_OUTWARD: Final = frozenset({"socket.connect", "socket.sendto", "subprocess.Popen", "os.system", "os.exec"})
_REMOVALS: Final = ((os, "remove"), (os, "unlink"), (os, "rmdir"), (shutil, "rmtree"))


def fork_a_scout(seconds: float) -> tuple[int, int]:
    """Fork; both processes come back from here.

    Args:
        seconds: after which the forked process is ended.

    Returns:
        In the forked process 0 and a pipe to write into, in the other one its process id and a pipe to read from.
    """
    reading, writing = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of threads that importing numpy began
        process = os.fork()
    if process:
        os.close(writing)
        return process, reading
    os.close(reading)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    _keep_to_itself()
    return 0, writing


def tell(pipe: int, line: str) -> None:
    """Tell the process that waits."""
    os.write(pipe, line.encode() + b"\n")


def leave() -> NoReturn:
    """End the forked process; nothing of its parent's own ending is to happen twice."""
    os._exit(0)


def told_by(process: int, pipe: int, seconds: float) -> Iterator[str]:
    """What the forked process tells, until it ends or its time is over; it is gone then."""
    deadline, rest = time.monotonic() + seconds + 1, b""
    try:
        while select.select([pipe], [], [], max(0.0, deadline - time.monotonic()))[0]:
            received = os.read(pipe, 65536)
            if not received:
                break
            *lines, rest = (rest + received).split(b"\n")
            yield from (line.decode() for line in lines)
    finally:
        os.close(pipe)
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)


def _keep_to_itself() -> None:
    """No output, no threads that the parent had, nothing removed, nothing sent, no other process."""
    torch.set_num_threads(1)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115 - for as long as the process lives
    for module, name in _REMOVALS:
        setattr(module, name, lambda *args, **kwargs: None)

    def refuse(event: str, args: tuple[Any, ...]) -> None:
        if event in _OUTWARD:
            raise PermissionError(f"{event} is not for a process that looks ahead")

    sys.addaudithook(refuse)
