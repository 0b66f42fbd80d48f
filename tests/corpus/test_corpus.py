"""The catalogue on scripts that were written in other people's habits: what is not refused keeps its promises."""

import pytest

from progtrain.actions import catalogue
from progtrain.script.reading.anatomy import read_anatomy
from scripts.coverage_table import PATH, page
from tests.corpus.trials import ITSELF, Trial, run_trials, scripts


@pytest.fixture(scope="module")
def trials() -> list[Trial]:
    return run_trials(scripts(), list(catalogue()))


@pytest.mark.parametrize("script", scripts())
def test_anatomy_is_read_of_any_script(script):
    anatomy = read_anatomy(scripts()[script].read_text(encoding="utf-8"))

    assert all(anatomy.source[knob.start : knob.end] for knob in anatomy.occurrences)


def test_nothing_fails(trials):
    failed = [f"{trial.script} × {trial.action}: {trial.reason}" for trial in trials if trial.outcome == "failed"]

    assert failed == []


def test_every_script_and_every_action_was_tried(trials):
    tried = {(trial.script, trial.action) for trial in trials}

    assert tried == {(script, action) for script in scripts() for action in (ITSELF, *catalogue())}


def test_a_refusal_says_why(trials):
    assert all(trial.reason for trial in trials if trial.outcome == "refused")


def test_most_scripts_can_be_improved_in_many_ways(trials):
    applied = dict.fromkeys(scripts(), 0)
    for trial in trials:
        applied[trial.script] += trial.outcome == "applied" and trial.action != ITSELF

    # Scripts that step their optimizers themselves leave little to the catalogue.
    assert sum(count >= 10 for count in applied.values()) >= 0.8 * len(applied)


def test_every_action_is_applied_somewhere(trials):
    assert {trial.action for trial in trials if trial.outcome == "applied"} == {ITSELF, *catalogue()}


def test_the_page_tells_of_these_trials(trials):
    assert PATH.read_text(encoding="utf-8") == page(trials), "write it anew: python scripts/coverage_table.py"
