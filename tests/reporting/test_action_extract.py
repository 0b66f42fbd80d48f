import re

import pytest

from progtrain.records import Deferred, Proposal
from progtrain.reporting.action_extract import ProbeRow, Probing, RangeShown, render_action_extract

FIELDS = ["Goal", "Change", "Where", "Expected impact", "Risk", "Verification"]
PROPOSAL = Proposal(
    action="adamw",
    family="optimizer",
    answers="plain-sgd",
    parameters={"lr": 0.002},
    touches=("optimizer", "lr"),
    goal="go further in the same epochs\nRisk: of a second field",
    change="SGD gives way to AdamW",
    where="line 40",
    expected_impact="a higher accuracy",
    risk="low",
    verification="accuracy on the validation set",
    probability=0.6,
    gain=0.4,
)


@pytest.mark.parametrize("selected", [PROPOSAL, None])
def test_one_selected_action_with_every_field_once(selected):
    page = render_action_extract("v001", "v001", "v002", selected, ())
    assert len(re.findall(r"^#+ Selected Action", page, flags=re.MULTILINE)) == 1
    body = page.split("## Deferred Candidates")[0]
    for field in FIELDS:
        assert len(re.findall(rf"^[\s#*\-|`]*{field}[\s*`]*(?::|\||$)", body, flags=re.MULTILINE)) == 1


def test_deferred_candidates_keep_reason_and_score():
    deferred = (
        Deferred(action="widen", change="64 | 128", reason="less\nlikely", score=0.1234),
        Deferred(action="clip_gradients", change="", reason="nothing to clip"),
    )
    page = render_action_extract("v001", "v001", "v002", PROPOSAL, deferred)
    assert r"| widen | 64 \| 128 | 0.123 | less likely |" in page
    assert "| clip_gradients |  |  | nothing to clip |" in page


def test_nothing_selected_says_that_the_loop_ends():
    assert "No action of the catalogue may be applied" in render_action_extract("v003", "v003", "v004", None, ())


def test_probes_stand_as_evidence_with_the_one_taken_and_the_one_that_failed():
    rows = (
        ProbeRow(action=None, epochs=3, value=0.41, difference=None, remark="", chosen=False),
        ProbeRow(action="adamw", epochs=3, value=0.45678, difference=0.04678, remark="a | remark", chosen=True),
        ProbeRow(action="widen", epochs=None, value=None, difference=None, remark="failed: no\nmemory", chosen=False),
    )
    page = render_action_extract("v001", "v001", "v002", PROPOSAL, (), Probing("accuracy", rows, by_order=False))
    assert "| trained | epochs | accuracy | difference | outcome |" in page
    assert "| v001, unchanged | 3 | 0.41 | — |  |" in page
    assert r"| adamw | 3 | 0.4568 | +0.0468 | **taken**; a \| remark |" in page
    assert "| widen | — | — | — | failed: no memory |" in page
    assert "A probe is no version" in page
    assert "order decided" not in page


def test_where_no_probe_was_better_the_page_says_that_the_advisor_decided():
    row = ProbeRow(action="adamw", epochs=1, value=0.1, difference=-0.2, remark="", chosen=True)
    page = render_action_extract("v002", "v002", "v003", PROPOSAL, (), Probing("accuracy", (row,), by_order=True))
    assert "No probe came up to v002 trained as briefly: the advisor's own order decided." in page


def test_without_probes_the_page_says_nothing_of_them():
    assert "probe" not in render_action_extract("v001", "v001", "v002", PROPOSAL, ()).lower()


@pytest.mark.parametrize(
    ("tested", "row"),
    [
        (RangeShown(93, 1e-6, 0.38, 0.012, 0.03, 0.001, ""), "| 93 | 1e-06 to 0.38 | 0.012 | 0.03 | 0.001 |  |"),
        (
            RangeShown(0, None, None, None, None, 0.1, "no\nfall | at all"),
            r"| 0 | — to — | — | — | 0.1 | no fall \| at all |",
        ),
    ],
)
def test_a_range_test_stands_in_a_row_before_the_probes(tested, row):
    rows = (ProbeRow(action="adamw", epochs=1, value=0.1, difference=0.1, remark="", chosen=True),)
    probing = Probing("accuracy", rows, by_order=False)
    page = render_action_extract("v001", "v001", "v002", PROPOSAL, (), probing, "", tested)
    assert "| steps | rates tested | suggested | as a schedule's peak | present | remark |" in page
    assert row in page
    assert page.index(row) < page.index("## Probes") < page.index("## Deferred Candidates")


def test_without_a_range_test_the_page_says_nothing_of_one():
    assert "range test" not in render_action_extract("v001", "v001", "v002", PROPOSAL, ())
