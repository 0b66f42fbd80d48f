"""Running scripts: one contract, `Executor`, and what implements it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class Job:
    """What `python ARGUMENTS` would do in `cwd`; `-m MODULE` works too.

    Args:
        arguments: as after `python`: a script or `-m module`, then its own arguments.
        cwd: working directory.
        log: file that receives stdout and stderr, truncated at the start; one that grows large is cut.
        time_limit: seconds after which the process group is killed; None for no limit.
        environment: variables set for this job on top of the executor's own.
    """

    arguments: tuple[str, ...]
    cwd: Path
    log: Path
    time_limit: float | None = None
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """How a job ended; `exit_code` is negative for a signal, as in subprocess."""

    exit_code: int
    seconds: float
    timed_out: bool = False

    @property
    def succeeded(self) -> bool:
        """Whether it ended by itself with exit code 0."""
        return self.exit_code == 0 and not self.timed_out


class Executor(Protocol):
    """Runs jobs, several at once if asked from several threads; a context manager that leaves no process behind."""

    def run(self, job: Job, on_tick: Callable[[], None] | None = None) -> Outcome:
        """Run to the end; `on_tick` is called a few times a second meanwhile, in the caller's thread."""
        ...

    def close(self) -> None:
        """End every process that is still running."""
        ...
