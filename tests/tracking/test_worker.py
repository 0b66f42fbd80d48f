from __future__ import annotations

import threading

from progtrain.tracking.worker import HopelessError, Kind, Task, Worker

V1, V2, LOOP = Task(Kind.VERSION, "v001"), Task(Kind.VERSION, "v002"), Task(Kind.LOOP)


class Work:
    """Records what was done; waits at a gate, so that tasks can pile up."""

    def __init__(self) -> None:
        self.done: list[Task] = []
        self.failing: dict[Task, Exception] = {}
        self.gate = threading.Event()

    def __call__(self, task: Task) -> None:
        self.gate.wait(60)
        self.done.append(task)
        if task in self.failing:
            raise self.failing[task]


def test_waiting_tasks_are_done_once_and_in_the_order_of_their_kind() -> None:
    work = Work()
    worker = Worker(work)
    worker.submit(LOOP)
    for task in (V2, LOOP, V1, V2, V2):
        worker.submit(task)
    work.gate.set()
    assert worker.drain(60) == ()
    assert work.done[-3:] == [V1, V2, LOOP]
    assert len(work.done) in (3, 4)
    worker.stop(60)


def test_a_failed_task_is_kept_named_and_tried_again_by_a_drain(caplog) -> None:
    caplog.set_level("WARNING")
    work = Work()
    work.gate.set()
    work.failing[V1] = OSError("no route\nto host")
    worker = Worker(work)
    worker.submit(V1)
    worker.submit(LOOP)
    assert worker.drain(60) == ("the run of v001: no route",)
    assert LOOP in work.done
    assert len(caplog.records) == 1
    work.failing.clear()
    assert worker.drain(60) == ()
    worker.stop(60)


def test_a_hopeless_task_is_named_but_not_tried_again() -> None:
    work = Work()
    work.gate.set()
    work.failing[V1] = HopelessError("does not export")
    worker = Worker(work)
    worker.submit(V1)
    for _ in range(2):
        assert worker.drain(60) == ("the run of v001: does not export",)
    assert work.done == [V1]
    worker.stop(60)


def test_a_drain_ends_when_its_time_is_up_and_names_what_is_under_way() -> None:
    work = Work()
    worker = Worker(work)
    worker.submit(V1)
    assert worker.drain(0.05) == ("the run of v001: not sent yet",)
    work.gate.set()
    worker.stop(60)
