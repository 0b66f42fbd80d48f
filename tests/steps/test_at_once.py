"""Pieces of work at once, as many as there are cores for."""

from __future__ import annotations

import os
import threading
import time

import pytest

from progtrain.steps.at_once import at_once, parallel_jobs

CORES = len(os.sched_getaffinity(0))


@pytest.mark.parametrize(
    ("threads", "jobs"), [(None, 1), ("1", CORES), (str(CORES), 1), (str(8 * CORES), 1), ("0", 1), ("many", 1)]
)
def test_every_training_takes_all_cores_unless_it_is_told_how_many(
    monkeypatch: pytest.MonkeyPatch, threads: str | None, jobs: int
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if threads is not None:
        monkeypatch.setenv("OMP_NUM_THREADS", threads)
    assert parallel_jobs() == jobs


@pytest.mark.parametrize("jobs", [1, 2])
def test_results_come_in_order_and_no_more_run_than_may(monkeypatch: pytest.MonkeyPatch, jobs: int) -> None:
    monkeypatch.setattr("progtrain.steps.at_once.parallel_jobs", lambda: jobs)
    running, most, lock, together = 0, 0, threading.Lock(), threading.Barrier(jobs)

    def work(number: int, on_tick: object) -> int:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        if number < jobs:
            together.wait(60)  # broken where fewer than may run at once do
        with lock:
            running -= 1
        return number

    assert list(at_once(3, work)) == [0, 1, 2]
    assert most == jobs


def test_where_one_fails_the_others_are_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("progtrain.steps.at_once.parallel_jobs", lambda: 2)
    ended = threading.Event()

    def work(number: int, on_tick: object) -> int:
        assert callable(on_tick)
        if number == 0:
            raise OSError("disk full")
        try:
            while True:
                on_tick()
                time.sleep(0.01)
        finally:
            ended.set()

    with pytest.raises(OSError, match="disk full"):
        list(at_once(3, work))
    assert ended.is_set()
