"""Several jobs at once, where there are cores for them."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


class _Ended(BaseException):
    """In a thread: the loop is leaving, and what is under way has no use any more."""


def at_once(count: int, work: Callable[[int, Callable[[], None]], T]) -> Iterator[T]:
    """The results of `work`, in order; the pieces run in threads, which wait for jobs of the executor.

    Args:
        count: how many pieces there are.
        work: (number of a piece from 0, what to call a few times a second meanwhile) -> its result.

    Raises:
        BaseException: what the first piece that failed raised; the others are ended.
    """
    leaving = threading.Event()

    def on_tick() -> None:
        if leaving.is_set():
            raise _Ended

    with ThreadPoolExecutor(max(1, min(count, parallel_jobs()))) as pool:
        pieces = [pool.submit(work, number, on_tick) for number in range(count)]
        try:
            for piece in pieces:
                yield piece.result()
        finally:
            leaving.set()
            for piece in pieces:
                piece.cancel()


def parallel_jobs() -> int:
    """How many trainings the cores are enough for: each takes all of them, or as many as OMP_NUM_THREADS says."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    threads = os.environ.get("OMP_NUM_THREADS", "")
    return max(1, cores // int(threads)) if threads.isdecimal() and int(threads) else 1
