"""The learning rate that a script trains with."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import JsonValue

from progtrain.records import Snapshot


def present_rate(snapshot: Snapshot) -> float | None:
    """The largest rate that is trained with: a schedule's peak, else that of a parameter group; None where unknown."""
    peaks = [scheduler.arguments.get("max_lr") for scheduler in snapshot.schedulers]
    groups = [group.get("lr") for optimizer in snapshot.optimizers for group in optimizer.groups]
    return max(_numbers(peaks), default=None) or max(_numbers(groups), default=None)


def _numbers(value: JsonValue) -> Iterator[float]:
    if isinstance(value, list):
        for each in value:
            yield from _numbers(each)
    elif isinstance(value, int | float):
        yield float(value)
