"""What the executor and its supervisor say to each other over their socket."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Start:
    """To the supervisor: begin a job; `environment` is the whole environment of the child."""

    number: int
    arguments: tuple[str, ...]
    cwd: str
    log: str
    environment: Mapping[str, str]


@dataclass(frozen=True)
class Stop:
    """To the supervisor: send a signal to every process of a job."""

    number: int
    signal: int


@dataclass(frozen=True)
class Started:
    """From the supervisor: the job's first process, which leads its process group."""

    number: int
    pid: int


@dataclass(frozen=True)
class Ended:
    """From the supervisor: how a job ended; no process of it is left."""

    number: int
    exit_code: int
    seconds: float
