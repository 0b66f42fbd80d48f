"""Weight decay where there is none, in the measure of the optimizer."""

import pytest

from progtrain.records import OptimizerSettings, Proposal, Refusal

SCRIPT = """\
from torch import optim

def configure_optimizers(self):
    return optim.SGD(self.parameters(), lr=0.01)  # plain
"""
TABLE = {
    "not named": (SCRIPT, SCRIPT.replace("lr=0.01", "lr=0.01, weight_decay=0.0001")),
    "named": (
        SCRIPT.replace("lr=0.01", "lr=0.01, weight_decay=0."),
        SCRIPT.replace("lr=0.01", "lr=0.01, weight_decay=0.0001"),
    ),
    "a constant": (
        "WD = 0  # none\n" + SCRIPT.replace("lr=0.01", "lr=0.01, weight_decay=WD"),
        "WD = 0.0001  # none\n" + SCRIPT.replace("lr=0.01", "lr=0.01, weight_decay=WD"),
    ),
    "a field": (
        "class C:\n    wd: float = 0.0\n" + SCRIPT.replace("lr=0.01", "0.01, weight_decay=C().wd"),
        "class C:\n    wd: float = 0.0001\n" + SCRIPT.replace("lr=0.01", "0.01, weight_decay=C().wd"),
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_becomes(becomes, name):
    becomes("add_weight_decay", *TABLE[name], value=1e-4)


@pytest.mark.parametrize(
    ("source", "match"),
    [
        ("options = {}\n" + SCRIPT.replace("lr=0.01", "**options"), "got \\* or \\*\\*"),
        (SCRIPT + "other = optim.SGD(p)\n", "Expected one call"),
        (SCRIPT.replace("lr=0.01", "weight_decay=load()"), "load"),
    ],
)
def test_cannot(cannot, source, match):
    cannot("add_weight_decay", source, match, value=1e-4)


@pytest.mark.parametrize(("kind", "value"), [("SGD", 1e-4), ("AdamW", 1e-2)])
def test_proposes_by_the_optimizer(proposed, kind, value):
    live = OptimizerSettings(type=kind, groups=({"lr": 0.01, "weight_decay": 0},))

    proposal = proposed("add_weight_decay", SCRIPT.replace("SGD", kind), "overfitting", optimizers=(live,))

    assert isinstance(proposal, Proposal)
    assert proposal.parameters == {"value": value}


@pytest.mark.parametrize(
    ("decay", "locks", "reason"),
    [
        (0.01, {}, "decays weights already, by 0.01"),
        (0, {"weight_decay": 0}, "the rules hold weight_decay"),
    ],
)
def test_refuses(proposed, decay, locks, reason):
    live = OptimizerSettings(type="SGD", groups=({"lr": 0.01, "weight_decay": decay},))

    refusal = proposed("add_weight_decay", SCRIPT, "overfitting", locks=locks, optimizers=(live,))

    assert isinstance(refusal, Refusal)
    assert reason in refusal.reason
