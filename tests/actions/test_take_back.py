"""The last change is taken back, whatever it was, under the version's own number."""

import pytest

from progtrain.actions import Situation, action_named
from progtrain.records import Finding, Proposal, Refusal
from progtrain.script.editing.versioning import undo_edits
from progtrain.script.reading.anatomy import read_anatomy
from progtrain.step_records import Attempt

BEFORE = 'VERSION = "v001"\nLR = 0.01  # found by hand\nWIDTH = 64\n'
CHANGES = {
    "a value": BEFORE.replace("0.01", "0.03").replace("v001", "v002"),
    "a line more": BEFORE.replace("WIDTH", "WD = 0.1\nWIDTH").replace("v001", "v002"),
    "a line less": BEFORE.replace("LR = 0.01  # found by hand\n", "").replace("v001", "v002"),
    "several places": BEFORE.replace("0.01", "0.03").replace("v001", "v002") + "import torch\n",
}


@pytest.mark.parametrize("name", CHANGES)
def test_becomes(becomes, name):
    changed = CHANGES[name]

    becomes("take_back", changed, BEFORE.replace("v001", "v002"), edits=[*undo_edits(changed, BEFORE)])


@pytest.mark.parametrize(
    ("source", "match"),
    [
        (CHANGES["a value"].replace("0.03", "0.05"), "edited since"),
        ('VERSION = "v002"\n', "edited since"),
    ],
)
def test_cannot(cannot, source, match):
    cannot("take_back", source, match, edits=[*undo_edits(CHANGES["a value"], BEFORE)])


@pytest.fixture
def propose(snapshot_with):
    def take_back(undo, action="raise_learning_rate", finding="regressed", **locks):
        last = Attempt(
            version="v002",
            parent="v001",
            action=action,
            parameters={},
            touches=("lr",),
            verdict="regressed",
            primary=0.5,
            knobs={},
        )
        return action_named("take_back").propose(
            Situation(
                anatomy=read_anatomy(CHANGES["a value"]),
                snapshot=snapshot_with(),
                findings=(Finding(name=finding, numbers={}, severity=1.0, message=finding),),
                history=(last,),
                locks=locks,
                undo=undo,
            )
        )

    return take_back


def test_touches_what_the_last_change_touched(propose):
    proposal = propose(undo_edits(CHANGES["a value"], BEFORE))

    assert isinstance(proposal, Proposal)
    assert proposal.touches == ("lr",)
    assert proposal.change == "raise_learning_rate of v002 is taken back"


def test_refuses(propose):
    undo = undo_edits(CHANGES["a value"], BEFORE)
    refusals = [propose(None), propose(undo, action="take_back"), propose(undo, finding="slow"), propose(undo, lr=0.03)]

    assert all(isinstance(refusal, Refusal) for refusal in refusals)
    assert [refusal.reason for refusal in refusals] == [
        "there is no change to take back",
        "v002 took a change back itself",
        "the last change did no harm",
        "the rules hold lr (0.03)",
    ]
