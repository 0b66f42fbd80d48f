"""A background thread that does named tasks, each once however often it is asked for, and again after a failure."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

from progtrain.errors import TrackingError

RETRY_AFTER = 30.0
"""Seconds before a failed task is tried again by itself."""

_logger = logging.getLogger(__name__)


class HopelessError(TrackingError):
    """A task failed in a way that trying again would not mend."""


class Kind(IntEnum):
    """What a task brings up to date; the lower number goes first."""

    VERSION = 0
    MODEL = 1
    LOOP = 2


@dataclass(frozen=True, order=True)
class Task:
    """One thing to bring up to date; `version` is empty for the loop."""

    kind: Kind
    version: str = ""

    def __str__(self) -> str:
        names = {Kind.VERSION: "the run of", Kind.MODEL: "the registered model of", Kind.LOOP: "the loop's own run"}
        return f"{names[self.kind]} {self.version}".strip()


class Worker:
    """Runs tasks in one thread, in the order of their kind.

    Args:
        run: does a task; an exception other than HopelessError means that it is to be tried again.
    """

    def __init__(self, run: Callable[[Task], None]) -> None:
        self._run = run
        self._changed = threading.Condition()
        self._due: dict[Task, float] = {}
        self._problems: dict[Task, str] = {}
        self._tried: set[Task] = set()
        self._running: Task | None = None
        self._stopping = False
        self._thread = threading.Thread(target=self._serve, name="progtrain-tracking", daemon=True)
        self._thread.start()

    def submit(self, task: Task) -> None:
        """Ask for a task; one that waits already is not queued twice."""
        with self._changed:
            self._due.setdefault(task, 0.0)
            self._changed.notify_all()

    def drain(self, seconds: float) -> tuple[str, ...]:
        """Wait until nothing is left, or all that is left has failed once more, or the time is up.

        Returns:
            What is not done, in words.
        """
        with self._changed:
            self._tried.clear()
            self._due = dict.fromkeys(self._due, 0.0)
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._running is None and self._tried.issuperset(self._due), seconds)
            unfinished = {*self._due, *self._problems, *([self._running] if self._running else [])}
            return tuple(f"{task}: {self._problems.get(task, 'not sent yet')}" for task in sorted(unfinished))

    def stop(self, seconds: float) -> None:
        """End the thread after the task it is at."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._thread.join(seconds)

    def _serve(self) -> None:
        while (task := self._next()) is not None:
            try:
                self._run(task)
            except Exception as error:  # noqa: BLE001 - whatever goes wrong here must neither end the training nor this thread
                self._note_failure(task, error)
            else:
                self._note_success(task)

    def _next(self) -> Task | None:
        with self._changed:
            while not self._stopping:
                now = time.monotonic()
                ready = [task for task, due in self._due.items() if due <= now]
                if ready:
                    self._running = min(ready)
                    del self._due[self._running]
                    return self._running
                self._changed.wait(min(self._due.values()) - now if self._due else None)
            return None

    def _note_success(self, task: Task) -> None:
        with self._changed:
            self._problems.pop(task, None)
            self._running = None
            self._changed.notify_all()

    def _note_failure(self, task: Task, error: Exception) -> None:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        _logger.debug("%s", task, exc_info=error)
        with self._changed:
            if not self._problems:
                _logger.warning(
                    "MLflow lacks %s for now (%s). The loop goes on; what is missing is sent later.", task, reason
                )
            self._problems[task] = reason
            self._tried.add(task)
            if not isinstance(error, HopelessError):
                self._due.setdefault(task, time.monotonic() + RETRY_AFTER)
            self._running = None
            self._changed.notify_all()
