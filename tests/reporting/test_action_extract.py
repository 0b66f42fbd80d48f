import re

import pytest

from progtrain.records import Deferred, Proposal
from progtrain.reporting.action_extract import render_action_extract

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
