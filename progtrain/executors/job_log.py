"""The size of a job's log: a script that prints without end must not fill the disk."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

LARGEST: Final = 16_000_000
"""Bytes above which a log is cut."""
KEPT: Final = 2_000_000
"""Bytes that stay of its beginning, and as many of its end."""
NOTE: Final = b"\n[progtrain: the log grew too large, what stood here was cut]\n"


def bound(log: Path) -> None:
    """Cut the middle out of a log that has grown too large.

    A job's output is opened for appending, so whoever is writing goes on behind what is left. What is written while
    the log is being cut is cut, too.
    """
    try:
        if log.stat().st_size <= LARGEST:
            return
        with log.open("rb+") as file:
            file.seek(-KEPT, os.SEEK_END)
            end = file.read(KEPT)
            file.truncate(KEPT)
        with log.open("ab") as file:
            file.write(NOTE + end)
    except FileNotFoundError:
        return  # the job has not begun, or has removed it
