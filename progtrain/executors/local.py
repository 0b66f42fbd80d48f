"""Running scripts on this machine, in children of one supervisor that has imported the heavy packages once."""

from __future__ import annotations

import itertools
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Final, Literal, Self

from progtrain.errors import ProgtrainError
from progtrain.executors import Job, Outcome
from progtrain.executors.job_log import bound
from progtrain.executors.messages import Ended, Start, Started, Stop

PRELOAD: Final = (
    "torch",
    "lightning.pytorch",
    "torchmetrics",
    "progtrain.script.capturing.capture",
    "progtrain.evaluation.run",
)
#: For the jobs that export models, while the first version is being trained.
SPARE: Final = ("torch.export", "torch._dynamo", "mlflow", "mlflow.pytorch")
GRACE_SECONDS: Final = 5.0
"""Between SIGTERM and SIGKILL."""
TICK_SECONDS: Final = 0.25
#: With one of these set, an MLflow call in a script would join a run that is not its own.
RUN_ADOPTION: Final = frozenset(
    {"MLFLOW_RUN_ID", "MLFLOW_RUN_NAME", "MLFLOW_EXPERIMENT_ID", "MLFLOW_EXPERIMENT_NAME", "MLFLOW_ACTIVE_MODEL_ID"}
)


class _Lost:
    """In place of a message: the supervisor is gone."""


_Message = Started | Ended | _Lost


@dataclass
class _Underway:
    inbox: SimpleQueue[_Message] = field(default_factory=SimpleQueue)
    pid: int | None = None


class LocalExecutor:
    """Runs jobs as children of a supervisor process; `Executor`'s contract.

    Args:
        isolation: "warm" forks a job from a process in which torch and lightning are imported; "fresh" starts a new
            interpreter for it (several devices, scripts that need it).
        log: file for the supervisor's own messages.
        environment: variables set for every job, on top of this process's. What torch reads when it is imported
            (`OMP_NUM_THREADS`) has to stand here: in a job's own environment it comes too late for a warm process.
    """

    def __init__(
        self, isolation: Literal["warm", "fresh"], log: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        self._log = log
        self._environment = dict(environment or {})
        self._numbers = itertools.count(1)
        self._underway: dict[int, _Underway] = {}
        self._lock = threading.Lock()
        self._lost = False
        ours, theirs = socket.socketpair()
        self._connection = Connection(ours.detach())
        warm = ["--fork", "--preload", *PRELOAD, "--spare", *SPARE] if isolation == "warm" else []
        command = [sys.executable, "-m", "progtrain.executors.supervisor", "--socket", str(theirs.fileno()), *warm]
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as output, theirs:
            self._supervisor = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
                env=self._job_environment({}),
            )
        self._reader = threading.Thread(target=self._read, name="executor-reader", daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def run(self, job: Job, on_tick: Callable[[], None] | None = None) -> Outcome:
        """Run a job to its end.

        Args:
            job: what to run.
            on_tick: called a few times a second meanwhile, in this thread.

        Returns:
            How it ended. After the time limit, SIGTERM goes to all its processes, and SIGKILL five seconds later.

        Raises:
            ProgtrainError: the supervisor died.
            BaseException: what `on_tick` raised, or KeyboardInterrupt; the job has been ended then.
        """
        number, underway = self._start(job)
        try:
            return self._follow(number, underway, job, on_tick)
        except BaseException:
            if not self._lost:
                self._end(number, underway)
            raise
        finally:
            bound(job.log)
            with self._lock:
                del self._underway[number]

    def close(self) -> None:
        """End every process that is still running."""
        # Shut down, not only closed: the reader may be waiting on it, and would keep it open.
        with suppress(OSError), socket.socket(fileno=os.dup(self._connection.fileno())) as ours:
            ours.shutdown(socket.SHUT_RDWR)
        self._supervisor.terminate()  # it may be importing, and hear nothing else for seconds
        self._supervisor.wait()
        self._reader.join()
        self._connection.close()

    def _start(self, job: Job) -> tuple[int, _Underway]:
        job.log.parent.mkdir(parents=True, exist_ok=True)
        environment = self._job_environment(job.environment)
        underway = _Underway()
        with self._lock:
            if self._lost:
                raise self._death()
            number = next(self._numbers)
            self._underway[number] = underway
            self._send(Start(number, job.arguments, str(job.cwd.resolve()), str(job.log.resolve()), environment))
        return number, underway

    def _follow(self, number: int, underway: _Underway, job: Job, on_tick: Callable[[], None] | None) -> Outcome:
        deadline = None
        while True:
            message = self._receive(underway, TICK_SECONDS)
            bound(job.log)
            if isinstance(message, Ended):
                return Outcome(message.exit_code, message.seconds)
            if isinstance(message, Started) and job.time_limit is not None:
                deadline = time.monotonic() + job.time_limit
            if deadline is not None and time.monotonic() >= deadline:
                ended = self._end(number, underway)
                return Outcome(ended.exit_code, ended.seconds, timed_out=True)
            if on_tick is not None:
                on_tick()

    def _receive(self, underway: _Underway, timeout: float) -> Started | Ended | None:
        try:
            message = underway.inbox.get(timeout=timeout)
        except Empty:
            if self._lost:
                raise self._death() from None
            return None
        if isinstance(message, _Lost):
            raise self._death()
        return message

    def _end(self, number: int, underway: _Underway) -> Ended:
        """End a job's processes; politely at first."""
        sent, deadline = signal.SIGTERM, time.monotonic() + GRACE_SECONDS
        with self._lock:
            self._send(Stop(number, sent))
        while not isinstance(message := self._receive(underway, TICK_SECONDS), Ended):
            if sent != signal.SIGKILL and time.monotonic() >= deadline:
                sent = signal.SIGKILL
                with self._lock:
                    self._send(Stop(number, sent))
        return message

    def _send(self, message: Start | Stop) -> None:
        # A supervisor that is gone is found out by the reader, which tells every job.
        with suppress(ConnectionError):
            self._connection.send(message)

    def _read(self) -> None:
        with suppress(EOFError, ConnectionError):
            while True:
                message: Started | Ended = self._connection.recv()
                with self._lock:
                    underway = self._underway.get(message.number)
                    if underway is not None:
                        if isinstance(message, Started):
                            underway.pid = message.pid
                        underway.inbox.put(message)
        with self._lock:
            self._lost = True
            for underway in self._underway.values():
                if underway.pid is not None:
                    # The job died with the supervisor, what it had started did not.
                    with suppress(ProcessLookupError, PermissionError):
                        os.killpg(underway.pid, signal.SIGKILL)
                underway.inbox.put(_Lost())

    def _death(self) -> ProgtrainError:
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        last = "\n".join(lines[-10:]) or "nothing was written"
        return ProgtrainError(
            f"The process that runs jobs is gone. Start the command again; {self._log} ends with:\n{last}"
        )

    def _job_environment(self, own: Mapping[str, str]) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if name not in RUN_ADOPTION}
        return {**inherited, **self._environment, **own}
