"""A tenth of the weight decay."""

import pytest

from progtrain.records import OptimizerSettings, Proposal, Refusal

SCRIPT = """\
from torch import optim

def configure_optimizers(self):
    return optim.AdamW(self.parameters(), lr=0.01)  # its default is 0.01
"""
TABLE = {
    "the default": (SCRIPT, SCRIPT.replace("lr=0.01", "lr=0.01, weight_decay=0.001")),
    "named": (
        SCRIPT.replace("lr=0.01", "lr=0.01, weight_decay=1e-2"),
        SCRIPT.replace("lr=0.01", "lr=0.01, weight_decay=0.001"),
    ),
    "a constant": (
        "WD = 0.01  # much\n" + SCRIPT.replace("lr=0.01", "weight_decay=WD"),
        "WD = 0.001  # much\n" + SCRIPT.replace("lr=0.01", "weight_decay=WD"),
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_becomes(becomes, name):
    becomes("lower_weight_decay", *TABLE[name], value=1e-3)


def test_cannot(cannot):
    groups = (
        '[{"params": a, "weight_decay": 0.1}, {"params": b, "weight_decay": 0.2}, {"params": c, "weight_decay": 0}]'
    )
    source = SCRIPT.replace("self.parameters()", groups)
    cannot("lower_weight_decay", source, "Expected one weight decay beside 0", value=1e-3)
    cannot("lower_weight_decay", source.replace("0}", "1}"), "weight_decay", value=1e-3)


SPARED = SCRIPT.replace("self.parameters()", '[{"params": a}, {"params": b, "weight_decay": 0.0}]')


def test_a_group_without_decay_is_left_alone(becomes, proposed):
    named = SPARED.replace("lr=0.01", "lr=0.01, weight_decay=0.1")
    becomes("lower_weight_decay", named, named.replace("=0.1)", "=0.01)"), value=0.01)
    optimizers = (
        OptimizerSettings(type="AdamW", groups=({"lr": 0.01, "weight_decay": 0.0}, {"lr": 0.01, "weight_decay": 0.1})),
    )

    proposal = proposed("lower_weight_decay", named, "underfitting", optimizers=optimizers)
    refusal = proposed("lower_weight_decay", SPARED, "underfitting", optimizers=optimizers)

    assert isinstance(proposal, Proposal)
    assert proposal.parameters == {"value": 0.01}
    assert isinstance(refusal, Refusal)
    assert "left to the optimizer's default" in refusal.reason


def live(decay: float) -> tuple[OptimizerSettings, ...]:
    return (OptimizerSettings(type="AdamW", groups=({"lr": 0.01, "weight_decay": decay},)),)


def test_divides_by_ten(proposed):
    proposal = proposed("lower_weight_decay", SCRIPT, "underfitting", optimizers=live(0.3))

    assert isinstance(proposal, Proposal)
    assert proposal.parameters == {"value": 0.03}


@pytest.mark.parametrize(
    ("decay", "locks", "reason"),
    [
        (0.0, {}, "too little"),
        (1e-5, {}, "too little"),
        (0.1, {"weight_decay": 0.1}, "the rules hold weight_decay"),
    ],
)
def test_refuses(proposed, decay, locks, reason):
    refusal = proposed("lower_weight_decay", SCRIPT, "underfitting", locks=locks, optimizers=live(decay))

    assert isinstance(refusal, Refusal)
    assert reason in refusal.reason
