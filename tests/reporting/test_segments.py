import math
from itertools import pairwise

import pytest

from progtrain.curves import Point
from progtrain.reporting.segments import segments


def kinds(values):
    return [s.kind for s in segments(tuple(Point(i, i, value) for i, value in enumerate(values)))]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([2.0 - 0.1 * i for i in range(20)], ["falls"]),
        ([2.0 * math.exp(-i / 2) for i in range(20)], ["falls", "plateau"]),
        ([*[2.0 - 0.1 * i for i in range(10)], *[1.1 + 0.1 * i for i in range(10)]], ["falls", "rises"]),
        ([1.0, 1.001] * 10, ["plateau"]),
        ([2.0, 1.0], []),
        ([2.0, math.nan, 1.0, 1.0, 1.0], []),
    ],
)
def test_a_curve_is_cut_where_it_turns(values, expected):
    assert kinds(values) == expected


def test_segments_cover_the_curve_without_gaps():
    found = segments(tuple(Point(i, i, math.cos(i / 4)) for i in range(40)))
    assert found[0].first == 0
    assert found[-1].last == 39
    assert all(before.last == after.first for before, after in pairwise(found))
