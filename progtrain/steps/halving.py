"""Which of several candidates is taken, by what ever longer trainings of ever fewer of them measure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from progtrain.records import MetricValue

#: The most candidates among which one round decides; more are halved.
ONE_ROUND: Final = 3
#: The first round trains for this share of the epochs: one of so many.
_FIRST_SHARE: Final = 3


def brief_epochs(full: int, round_number: int) -> int:
    """The epochs of a round's trainings: a third of all, rounded down, at least 1; twice as many in every later one.

    Args:
        full: epochs of the whole training, which no round goes beyond.
        round_number: from 0.
    """
    return min(full, max(1, full // _FIRST_SHARE) << round_number)


def round_count(candidates: int, full: int) -> int:
    """How many rounds there can be: one for few candidates, else as many as have different lengths."""
    if candidates <= ONE_ROUND:
        return 1
    count = 1
    while brief_epochs(full, count) > brief_epochs(full, count - 1):
        count += 1
    return count


def winner(
    candidates: int,
    rounds: int,
    measure: Callable[[Sequence[int], int], Sequence[MetricValue | None]],
    reference: Callable[[int], MetricValue | None],
) -> int | None:
    """Successive halving: after every round the better half goes on, until one is left or no round is.

    Args:
        candidates: how many there are.
        rounds: how many there may be.
        measure: (places of candidates, round) -> what each reached; None where it failed.
        reference: round -> what is reached without any change; None where that is not known.

    Returns:
        The winner's place; None where in some round every candidate was worse than the reference, or had failed.
    """
    left = list(range(candidates))
    for number in range(rounds):
        against = reference(number)
        values = measure(left, number)
        order = best_first(values)
        if not order or all(against is not None and _worse(values[place], against) for place in order):
            return None
        left = [left[place] for place in order[: max(1, len(left) // 2)]]
        if len(left) == 1:
            break
    return left[0]


def best_first(values: Sequence[MetricValue | None]) -> list[int]:
    """The places of the values that are numbers, the best first; those that tie keep their order."""
    there = [place for place, metric in enumerate(values) if metric is not None and _is_number(metric.value)]
    return sorted(there, key=lambda place: sum(_worse(values[place], values[other]) for other in there))


def _worse(metric: MetricValue | None, other: MetricValue | None) -> bool:
    return metric is not None and other is not None and other.better_than(metric)


def _is_number(value: float | None) -> bool:
    return value is not None and value == value
