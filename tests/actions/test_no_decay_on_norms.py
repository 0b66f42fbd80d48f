"""Two parameter groups in the place of one."""

import pytest

from progtrain.records import Layer, OptimizerSettings, Proposal, Refusal

SCRIPT = """\
from torch import optim

def configure_optimizers(self):
    return optim.AdamW(self.parameters(), lr=LR, weight_decay=0.1)  # found by hand
"""
GROUPS = """[
        {"params": [p for p in self.parameters() if p.ndim > 1]},
        {"params": [p for p in self.parameters() if p.ndim <= 1], "weight_decay": 0.0},
    ]"""
EXPLICIT = GROUPS.replace("> 1]}", '> 1], "weight_decay": 0.1}')
TABLE = {
    "decay named": (SCRIPT, SCRIPT.replace("self.parameters()", GROUPS)),
    "decay left to the default": (
        SCRIPT.replace(", weight_decay=0.1", ""),
        SCRIPT.replace("self.parameters()", EXPLICIT).replace(", weight_decay=0.1", ""),
    ),
    "the model's; by name": (
        SCRIPT.replace("self.parameters()", "params=self.model.parameters()"),
        SCRIPT.replace("self.parameters()", "params=" + GROUPS.replace("self", "self.model")),
    ),
    "a line of its own": (
        SCRIPT.replace("self.parameters(), lr", "\n        self.parameters(),  # all\n        lr"),
        SCRIPT.replace("self.parameters(), lr", "\n        " + GROUPS.replace("\n", "\n    ") + ",  # all\n        lr"),
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_becomes(becomes, name):
    becomes("no_decay_on_norms", *TABLE[name], weight_decay=0.1)


@pytest.mark.parametrize(
    ("source", "match"),
    [
        (SCRIPT.replace("self.parameters()", "chosen"), "expected `self.parameters\\(\\)`"),
        (SCRIPT + "other = optim.SGD(p)\n", "found 2"),
        ("", "found 0"),
    ],
)
def test_cannot(cannot, source, match):
    cannot("no_decay_on_norms", source, match, weight_decay=0.1)


BIASED = (Layer(path="0", type="Linear", arguments={"bias": True}, parameters=10),)
BARE = (Layer(path="0", type="Linear", arguments={"bias": False}, parameters=10),)


def live(*decays: float) -> tuple[OptimizerSettings, ...]:
    return (OptimizerSettings(type="AdamW", groups=tuple({"lr": 0.01, "weight_decay": decay} for decay in decays)),)


def test_keeps_the_present_decay(proposed):
    proposal = proposed("no_decay_on_norms", SCRIPT, "underfitting", optimizers=live(0.1), layers=BIASED)

    assert isinstance(proposal, Proposal)
    assert proposal.parameters == {"weight_decay": 0.1}


@pytest.mark.parametrize(
    ("optimizers", "layers", "locks", "reason"),
    [
        (live(0.1, 0.0), BIASED, {}, "2 parameter groups already"),
        (live(0.0), BIASED, {}, "no weight decay"),
        (live(0.1), BARE, {}, "neither biases nor"),
        (live(0.1), BIASED, {"weight_decay": 0.1}, "the rules hold weight_decay"),
    ],
)
def test_refuses(proposed, optimizers, layers, locks, reason):
    refusal = proposed("no_decay_on_norms", SCRIPT, "underfitting", locks=locks, optimizers=optimizers, layers=layers)

    assert isinstance(refusal, Refusal)
    assert reason in refusal.reason
