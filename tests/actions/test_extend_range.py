"""One more step of a knob the way that has paid."""

import pytest

from progtrain.actions import Situation, action_named
from progtrain.records import Call, Finding, OptimizerSettings, Proposal, Refusal, Snapshot
from progtrain.script.reading.anatomy import read_anatomy

SCRIPT = """\
from torch import nn, optim

LR = 0.01  # found by hand
net = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.1), nn.Linear(8, 2))

def configure_optimizers(self):
    return optim.AdamW(self.parameters(), lr=LR, weight_decay=1e-3)
"""
TABLE = {
    "lr": (("lr", 0.03), SCRIPT.replace("0.01", "0.03")),
    "weight_decay": (("weight_decay", 1e-4), SCRIPT.replace("1e-3", "0.0001")),
    "dropout": (("dropout", 0.2), SCRIPT.replace("0.1)", "0.2)")),
}


@pytest.mark.parametrize("name", TABLE)
def test_becomes(becomes, name):
    (knob, value), after = TABLE[name]
    becomes("extend_range", SCRIPT, after, knob=knob, value=value)


@pytest.mark.parametrize(
    ("knob", "match"), [("momentum", "does not"), ("lr", "the values that are there already|nothing")]
)
def test_cannot(cannot, knob, match):
    cannot("extend_range", SCRIPT, match, knob=knob, value=0.01)


@pytest.fixture
def offered(snapshot_with):
    live = snapshot_with(
        optimizers=(OptimizerSettings(type="AdamW", groups=({"lr": 0.01, "weight_decay": 1e-3},)),),
        calls=(Call(function="dropout", arguments={"p": 0.1, "training": True}),),
    )

    def offer(locks: dict[str, float] | None = None, snapshot: Snapshot = live, **numbers: float) -> Proposal | Refusal:
        finding = Finding(name="edge-of-range", numbers=numbers, severity=0.5, message="")
        findings = (finding,) if numbers else ()
        situation = Situation(read_anatomy(SCRIPT), snapshot, findings, (), locks or {})
        return action_named("extend_range").propose(situation)

    return offer


@pytest.mark.parametrize(
    ("numbers", "value"),
    [
        ({"lr": 0.01, "before": 0.005}, 0.02),
        ({"lr": 0.01, "before": 0.03}, 0.00333),
        ({"dropout": 0.1, "before": 0.0}, 0.2),
        ({"weight_decay": 1e-3, "before": 0.0}, 2e-3),
        ({"lr": 0.9, "before": 0.3}, 1.0),
    ],
)
def test_repeats_the_step(offered, numbers, value):
    proposal = offered(**numbers)

    assert isinstance(proposal, Proposal)
    assert proposal.parameters["value"] == value
    assert len(proposal.touches) == 1


@pytest.mark.parametrize(
    ("numbers", "locks", "reason"),
    [
        ({}, {}, "no knob's best value"),
        ({"lr": 1.0, "before": 0.3}, {}, "as far as it goes"),
        ({"lr": 0.01, "before": 0.003}, {"lr": 0.01}, "the rules hold lr"),
    ],
)
def test_refuses(offered, numbers, locks, reason):
    refusal = offered(locks, **numbers)

    assert isinstance(refusal, Refusal)
    assert reason in refusal.reason


def test_refuses_a_place_that_is_not_what_is_trained_with(offered, snapshot_with):
    refusal = offered(snapshot=snapshot_with(), weight_decay=1e-3, before=1e-4)

    assert isinstance(refusal, Refusal)
    assert "sets weight_decay to 0.001, but it trained with 0: another place decides" in refusal.reason
