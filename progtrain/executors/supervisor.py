"""The process between the loop and its jobs: imports once what each needs, forks a child a job, leaves none behind."""

from __future__ import annotations

import argparse
import gc
import importlib
import logging
import os
import selectors
import signal
import socket
import sys
import time
import traceback
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from types import FrameType

from progtrain.executors.child import detach, run_fresh, run_here
from progtrain.executors.messages import Ended, Start, Started, Stop

IDLE_SECONDS = 0.3
"""Without a message, before the next spare module is imported."""


@dataclass(frozen=True)
class _Running:
    number: int
    began: float


class Supervisor:
    """Forks jobs and reports their ends until the other side of the connection is gone.

    Args:
        connection: to the executor.
        spare: modules to import when there is nothing else to do, for jobs that come later.
    """

    def __init__(self, connection: Connection, spare: Sequence[str] = ()) -> None:
        self._connection = connection
        self._spare = list(spare)
        self._running: dict[int, _Running] = {}
        self._woken, self._wake = socket.socketpair()

    def serve(self) -> Start | None:
        """Serve until the executor is gone.

        Returns:
            In a forked child, the job it is to run; in the supervisor None, when the executor is gone.
        """
        self._woken.setblocking(False)
        self._wake.setblocking(False)
        signal.set_wakeup_fd(self._wake.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, _noted)
        with selectors.DefaultSelector() as selector:
            selector.register(self._connection, selectors.EVENT_READ)
            selector.register(self._woken, selectors.EVENT_READ)
            while True:
                if not selector.select(IDLE_SECONDS if self._spare else None):
                    _preload([self._spare.pop(0)])
                    continue
                with suppress(BlockingIOError):
                    self._woken.recv(4096)
                try:
                    self._reap()
                    job = self._obey()
                except (EOFError, ConnectionError):
                    return None
                if job is not None:
                    for inherited in (self._woken, self._wake, self._connection):
                        inherited.close()
                    return job

    def end_all(self) -> None:
        """Kill every process of every job."""
        for pid in self._running:
            _kill_group(pid, signal.SIGKILL)
        while self._running:
            os.waitpid(self._running.popitem()[0], 0)

    def _obey(self) -> Start | None:
        while self._connection.poll():
            message: Start | Stop = self._connection.recv()
            if isinstance(message, Stop):
                for pid, running in self._running.items():
                    if running.number == message.number:
                        _kill_group(pid, message.signal)
            elif self._is_forked_for(message):
                return message
        return None

    def _is_forked_for(self, job: Start) -> bool:
        """Fork; True in the child."""
        supervisor = os.getpid()
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            self._running.clear()
            detach(job, supervisor)
            return True
        self._running[pid] = _Running(job.number, time.monotonic())
        self._connection.send(Started(job.number, pid))
        return False

    def _reap(self) -> None:
        for pid, running in list(self._running.items()):
            # Seen, not yet reaped: its group's number cannot be given to anyone else before the rest is killed.
            if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
                continue
            _kill_group(pid, signal.SIGKILL)
            exit_code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            del self._running[pid]
            self._connection.send(Ended(running.number, exit_code, time.monotonic() - running.began))


def _kill_group(pid: int, number: int) -> None:
    try:
        os.killpg(pid, number)
    except (ProcessLookupError, PermissionError):
        os.kill(pid, number)  # just forked, it leads no group yet; or it is the zombie that is left of the group


def _noted(number: int, frame: FrameType | None) -> None:
    """SIGCHLD needs a handler, or nothing is written to the wake-up socket."""


def _preload(names: Sequence[str]) -> None:
    for name in names:
        try:
            with _logging_as_it_was():
                importlib.import_module(name)
        except ImportError:
            traceback.print_exc()  # a job that needs it will say so itself
    gc.collect()
    gc.freeze()


@contextmanager
def _logging_as_it_was() -> Iterator[None]:
    """mlflow.pytorch configures the root logger and the filters of warnings; a script must not notice."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    with warnings.catch_warnings():
        yield
    root.setLevel(level)
    root.handlers[:] = handlers


def main() -> None:
    """`python -m progtrain.executors.supervisor --socket FD [--fork --preload NAME … --spare NAME …]`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--socket", type=int, required=True)
    parser.add_argument("--fork", action="store_true")
    parser.add_argument("--preload", nargs="*", default=[])
    parser.add_argument("--spare", nargs="*", default=[])
    options = parser.parse_args()
    sys.path.pop(0)  # the loop's working directory, which is no job's
    _preload(options.preload)
    supervisor = Supervisor(Connection(options.socket), options.spare)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit())
    try:
        job = supervisor.serve()
    except SystemExit:
        job = None
    if job is None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        supervisor.end_all()
        os._exit(0)  # taking down torch's modules takes half a second, and nothing is left to be done
    (run_here if options.fork else run_fresh)(job.arguments)


if __name__ == "__main__":
    main()
