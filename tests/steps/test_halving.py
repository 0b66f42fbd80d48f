"""Which candidate wins, from values written down beforehand."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest

from progtrain.records import MetricValue
from progtrain.steps.halving import best_first, brief_epochs, round_count, winner


def metric(value: float | None, higher_is_better: bool = True) -> MetricValue:
    return MetricValue(name="m", value=value, higher_is_better=higher_is_better)


@pytest.mark.parametrize(
    ("full", "lengths"), [(1, [1, 1]), (2, [1, 2, 2]), (3, [1, 2, 3, 3]), (20, [6, 12, 20, 20]), (30, [10, 20, 30])]
)
def test_a_third_of_the_epochs_then_twice_as_many_but_never_more_than_all(full: int, lengths: list[int]) -> None:
    assert [brief_epochs(full, number) for number in range(len(lengths))] == lengths


def test_few_candidates_have_one_round_and_more_as_many_as_there_are_lengths() -> None:
    assert [round_count(candidates, 20) for candidates in (2, 3, 4, 9)] == [1, 1, 3, 3]
    assert round_count(4, 1) == 1


def test_what_has_no_value_is_no_place_and_ties_keep_their_order() -> None:
    values = [None, metric(0.5), metric(math.nan), metric(0.7), metric(0.5), metric(None)]
    assert best_first(values) == [3, 1, 4]
    assert best_first([metric(0.5, False), metric(0.2, False)]) == [1, 0]


def halved(table: list[list[float | None]], reference: list[float]) -> tuple[int | None, list[tuple[int, int]]]:
    """The winner of a table of rounds by candidates, and (round, candidate) as they were asked for."""
    asked = []

    def measure(places: Sequence[int], number: int) -> list[MetricValue]:
        asked.extend((number, place) for place in places)
        return [metric(table[number][place]) for place in places]

    best = winner(len(table[0]), len(table), measure, lambda number: metric(reference[number]))
    return best, asked


def test_the_better_half_goes_on_and_the_last_round_decides() -> None:
    best, asked = halved([[0.1, 0.4, 0.3, 0.2, 0.5], [9, 0.6, 9, 9, 0.5], [9, 9, 9, 9, 9]], [0.1, 0.2, 0.3])
    assert best == 1
    assert asked == [(0, 0), (0, 1), (0, 2), (0, 3), (0, 4), (1, 4), (1, 1)]


def test_where_rounds_run_out_the_best_of_those_left_wins() -> None:
    assert halved([[0.1, 0.4, 0.3, 0.2]], [0.0]) == (1, [(0, 0), (0, 1), (0, 2), (0, 3)])


def test_nobody_wins_where_all_are_worse_than_no_change() -> None:
    assert halved([[0.1, 0.2, None]], [0.3])[0] is None
    assert halved([[0.1, 0.4, 0.3, 0.2], [0, 0.4, 0.4, 0]], [0.1, 0.5])[0] is None
    assert halved([[None, None]], [0.3])[0] is None


def test_as_good_as_no_change_is_not_worse() -> None:
    assert halved([[0.1, 0.3]], [0.3])[0] == 1


def test_a_reference_that_failed_rules_nothing_out() -> None:
    assert winner(2, 1, lambda places, number: [metric(0.1 * place) for place in places], lambda number: None) == 1
