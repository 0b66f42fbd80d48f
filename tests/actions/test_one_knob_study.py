"""The search of one knob's value, on objectives whose best value is known."""

import logging
import math
import random
from statistics import fmean

import optuna
import pytest

from progtrain.actions._one_knob_study import Range, Search, Tried, next_value

RATES = Range(1e-3, 1.0, log=True)
BEST = 0.05


def error(rate: float) -> float:
    """A parabola in the logarithm."""
    return math.log(rate / BEST) ** 2


def searched(steps: int, seed: int = 42, higher_is_better: bool = False) -> list[float]:
    """The values that came up, from 0.8 on."""
    sign = -1 if higher_is_better else 1
    values = [0.8]
    for _ in range(steps):
        tried = tuple(Tried({"lr": value, "dropout": 0.1}, sign * error(value)) for value in values)
        search = Search(
            knob="lr",
            ranges={"lr": RATES, "dropout": Range(0.0, 0.6)},
            fixed={"dropout": 0.1},
            tried=tried,
            taken=frozenset(values),
            higher_is_better=higher_is_better,
            seed=seed + len(values),
        )
        found = next_value(search)
        assert found is not None
        values.append(found)
    return values


def test_comes_near_the_optimum_and_nearer_than_by_chance():
    chance = random.Random(0)
    nearest = [min(map(error, searched(10, 100 * seed))) for seed in range(12)]
    blind = [min(error(10 ** chance.uniform(-3, 0)) for _ in range(10)) for _ in range(500)]

    assert max(nearest) < error(BEST * 1.6)
    assert fmean(nearest) < fmean(blind) / 2


def test_the_same_search_gives_the_same_value_and_another_seed_another():
    assert searched(4) == searched(4)
    assert searched(4) != searched(4, seed=7)


def test_the_direction_decides():
    assert searched(6, higher_is_better=True) == searched(6)


def test_values_are_short_differ_and_stay_within():
    values = searched(12)

    assert len(set(values)) == len(values)
    assert all(value in RATES and value == float(f"{value:.3g}") for value in values)


def test_nothing_known_at_all():
    assert next_value(Search("lr", {"lr": RATES}, {}, ())) in RATES


def test_what_others_lacked_does_not_count_against_the_value_that_they_share():
    shared = tuple(Tried({"lr": 0.03}, accuracy) for accuracy in (0.2, 0.5, 0.9))
    last = (Tried({"lr": 0.03}, 0.9),)

    assert next_value(Search("lr", {"lr": RATES}, {}, shared)) == next_value(Search("lr", {"lr": RATES}, {}, last))


@pytest.mark.parametrize(
    "useless",
    [Tried({}, 0.5), Tried({"lr": 30.0}, 0.5), Tried({"lr": 0.3}, math.nan), Tried({"lr": 0.3}, math.inf)],
    ids=["no rate", "out of range", "not measured", "without bound"],
)
def test_what_says_nothing_of_the_knob_is_left_out(useless):
    known = (Tried({"lr": 0.1}, 0.9),)

    assert next_value(Search("lr", {"lr": RATES}, {}, (useless, *known))) == next_value(
        Search("lr", {"lr": RATES}, {}, known)
    )


def test_only_certain_values_and_none_is_left():
    sizes = Range(16, 64, log=True, among=(16, 32, 64))
    drawn = next_value(Search("batch_size", {"batch_size": sizes}, {}, (), frozenset({16.0, 32.0})))

    assert drawn == 64
    assert isinstance(drawn, int)
    assert next_value(Search("batch_size", {"batch_size": sizes}, {}, (), frozenset({16.0, 32.0, 64.0}))) is None


def test_is_silent_and_leaves_optunas_logging_as_it_was(capfd):
    optuna.logging.set_verbosity(logging.INFO)
    try:
        searched(1)
        assert optuna.logging.get_verbosity() == logging.INFO
    finally:
        optuna.logging.set_verbosity(logging.WARNING)

    assert capfd.readouterr() == ("", "")
