"""Every action has a table, answers what is diagnosed, and touches what is known."""

from pathlib import Path

import pytest

from progtrain.actions import catalogue
from progtrain.diagnosis import RULES, TOLD_ALONE
from progtrain.knobs import FAMILY

#: Findings that need more than predictions and curves, so that no rule makes them yet.
NOT_MEASURED = {"dead-units", "compute-bound"}
#: No finding, and so never made: it asks where nothing that was found asks for anything.
NOTHING_FOUND = {"nothing-asks"}


def test_enough():
    assert len(catalogue()) >= 35


@pytest.mark.parametrize("name", catalogue())
def test_has_a_table(name):
    assert (Path(__file__).parent / f"test_{name}.py").is_file()


@pytest.mark.parametrize("name", catalogue())
def test_speaks_the_house_language(name):
    action = catalogue()[name]
    assert set(action.answers) <= {*RULES, *NOT_MEASURED, *NOTHING_FOUND}
    assert action.touches <= FAMILY.keys()
    assert action.family in {*FAMILY.values(), "lineage"}
    assert 0 < action.probability < 1
    assert 0 < action.gain < 1


def test_every_finding_that_says_what_to_do_is_answered():
    answered = {finding for action in catalogue().values() for finding in action.answers}
    assert RULES.keys() - TOLD_ALONE == answered & RULES.keys()


def test_no_rule_finds_that_nothing_asks():
    assert not NOTHING_FOUND & RULES.keys()
