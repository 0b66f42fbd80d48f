import re
from dataclasses import replace

import pytest

from progtrain.diagnosis import RULES
from progtrain.reporting.analysis import Analysis, Measured, render_analysis
from progtrain.reporting.explanations import EXPLANATIONS

HEADINGS = ["Summary", "Metric deltas", "Evidence", "Hypotheses", "Next focus candidates"]


def page_of(analysis: Analysis) -> str:
    return render_analysis(analysis, analysis.answers)


def headings(page: str) -> list[str]:
    return re.findall(r"^## (.*)$", page, flags=re.MULTILINE)


def test_the_headings_are_those_of_the_written_rules(analysis):
    assert headings(page_of(analysis)) == HEADINGS


def test_every_metric_stands_before_and_after(analysis):
    page = page_of(analysis)
    assert "| accuracy | 0.55 | 0.8 | +0.25 | better |" in page
    assert "| loss | 1.2 | 1.3 | +0.1 | worse |" in page
    assert "95 % interval +0.16 to +0.34" in page
    assert "**improved**" in page


def test_trade_offs_and_plateaus_are_named(analysis):
    page = page_of(analysis)
    assert "accuracy got better while loss got worse" in page
    assert "0.8 ms, +60% against 0.5 ms" in page
    assert re.search(r"epochs \d+ to 19: plateau", page)


def test_the_samples_are_shown_one_by_one_with_what_became_of_them(analysis):
    page = page_of(analysis)
    assert "| 0001 | s3 | 3 | 3 | 0.1 | 3 | right as before |" in page
    assert "| 0002 | s60 | 0 | 0 | 0.1 | 1 | wrong before, right now |" in page
    assert "| 0003 | s90 | 2 | 3 | 2 | 3 | wrong as before |" in page
    assert "25 were wrong before and are right now; 0 were right before" in page
    assert "0 taken for 1 5 times (11 before)" in page


def test_the_first_version_says_that_it_has_no_previous_one(analysis):
    page = page_of(replace(analysis, now=replace(analysis.now, version="v001"), parent=None))
    assert headings(page) == HEADINGS
    assert "no previous version" in page


def test_a_metric_without_value_says_why(analysis, make_score):
    now = make_score(("accuracy", 0.8, True), ("recall_class_3", None, True))
    reasons = {"recall_class_3": "no validation sample is of class 3"}
    page = page_of(replace(analysis, now=replace(analysis.now, score=now, reasons=reasons)))
    assert "| recall_class_3 | — | — | — |" in page
    assert "\nrecall_class_3 has no value: no validation sample is of class 3.\n" in page


def test_a_version_made_from_an_older_one_still_names_the_version_before(analysis):
    page = page_of(replace(analysis, now=replace(analysis.now, version="v005")))
    assert "v001 → v005 (v004, the version before, was not continued)" in page


def test_a_regression_task_shows_quantiles_of_the_error(analysis, make_answers):
    now = replace(make_answers(80), answers=make_answers(80).targets + 0.5)
    before = replace(now, answers=now.targets + 2.0, losses=now.losses + 1)
    page = page_of(
        replace(
            analysis,
            task_type="regression",
            now=replace(analysis.now, predictions=now),
            parent=Measured("v001", analysis.parent.score, before),
        )
    )
    assert "| median | 0.5 | 2 |" in page
    assert "closer than before" in page
    assert "confusions" not in page


def test_without_answers_or_curves_the_page_says_so(analysis):
    page = page_of(
        replace(analysis, now=replace(analysis.now, predictions=None), curves=replace(analysis.curves, columns={}))
    )
    assert "No answers are on record." in page
    assert "not logged over enough epochs" in page


@pytest.mark.parametrize("name", RULES)
def test_every_finding_has_an_explanation(name):
    assert name in EXPLANATIONS
