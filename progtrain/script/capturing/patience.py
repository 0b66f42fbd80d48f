"""A limit to the time that a script takes before it trains."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn

from progtrain.errors import CaptureError
from progtrain.rules import read_rules
from progtrain.script.capturing.standing import script_line

CAPTURE_TIME_LIMIT: Final = 600.0
"""Seconds; a script that reads a large data set before fit needs some, one that hangs must not hold the loop."""
_AGAIN: Final = 1.0
"""Seconds, after which a script that has caught the first interruption is interrupted once more."""


def seconds_before_fit(folder: Path) -> float:
    """How long a script may take: as the rules in its folder limit its training, else `CAPTURE_TIME_LIMIT`."""
    minutes = read_rules(folder).loop_config.train_time_limit_minutes
    return CAPTURE_TIME_LIMIT if minutes is None else minutes * 60


class _TimeIsUp(BaseException):
    """No `except Exception` of the script holds it up."""

    def __init__(self, line: int) -> None:
        self.line = line


@contextmanager
def patience(script: Path, file: str) -> Iterator[None]:
    """Interrupt what runs here once its time is over; where this is no main thread, it has all the time it wants.

    Args:
        script: path of the script, with the rules beside it.
        file: its absolute path.

    Raises:
        CaptureError: it was interrupted.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    seconds = seconds_before_fit(script.resolve().parent)

    def interrupt(number: int, frame: FrameType | None) -> NoReturn:
        raise _TimeIsUp(script_line(file, frame))

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds, _AGAIN)
    try:
        yield
    except _TimeIsUp as error:
        end_patience()
        place = f" in line {error.line}" if error.line else ""
        raise CaptureError(
            f"{script.name} was ended{place} after {seconds:.3g} s before Trainer.fit. Let it come there sooner, or "
            "set loop_config.train_time_limit_minutes to more."
        ) from None
    finally:
        end_patience()
        signal.signal(signal.SIGALRM, before)


def end_patience() -> None:
    """The script has come to its fit: from here on it has the time that it needs."""
    signal.setitimer(signal.ITIMER_REAL, 0)
