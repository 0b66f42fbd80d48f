"""The second beta, where it is written and where it is not."""

import pytest

from progtrain.records import OptimizerSettings, Proposal, Refusal

SCRIPT = """\
from torch import optim

def configure_optimizers(self):
    return optim.AdamW(self.parameters(), lr=0.01)  # plain
"""
TABLE = {
    "not named": (SCRIPT, SCRIPT.replace("lr=0.01", "lr=0.01, betas=(0.9, 0.95)")),
    "named": (
        SCRIPT.replace("lr=0.01", "lr=0.01, betas=(0.9, 0.999)"),
        SCRIPT.replace("lr=0.01", "lr=0.01, betas=(0.9, 0.95)"),
    ),
    "a constant": (
        "BETAS = (0.9, 0.99)  # as ever\n" + SCRIPT.replace("lr=0.01", "betas=BETAS"),
        "BETAS = (0.9, 0.95)  # as ever\n" + SCRIPT.replace("lr=0.01", "betas=BETAS"),
    ),
    "third position": (
        SCRIPT.replace("lr=0.01", "0.01, [0.9, 0.999]"),
        SCRIPT.replace("lr=0.01", "0.01, [0.9, 0.95]"),
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_becomes(becomes, name):
    becomes("adam_betas", *TABLE[name], value=[0.9, 0.95])


@pytest.mark.parametrize(
    ("source", "match"),
    [
        ("options = {}\n" + SCRIPT.replace("lr=0.01", "**options"), "got \\* or \\*\\*"),
        (SCRIPT + "other = optim.Adam(p)\n", "Expected one call"),
    ],
)
def test_cannot(cannot, source, match):
    cannot("adam_betas", source, match, value=[0.9, 0.95])


def live(kind: str, **group: object) -> dict[str, object]:
    return {"optimizers": (OptimizerSettings(type=kind, groups=({"lr": 0.01, **group},)),)}


def test_keeps_the_first(proposed):
    proposal = proposed("adam_betas", SCRIPT, "gradient-spikes", **live("AdamW", betas=[0.8, 0.999]))

    assert isinstance(proposal, Proposal)
    assert proposal.parameters == {"value": [0.8, 0.95]}


@pytest.mark.parametrize(
    ("fields", "locks", "reason"),
    [
        (live("AdamW", betas=[0.9, 0.95]), {}, "0.95 already"),
        (live("SGD"), {}, "SGD has no betas"),
        (live("AdamW", betas=[0.9, 0.999]), {"betas": [0.9, 0.999]}, "the rules hold betas"),
    ],
)
def test_refuses(proposed, fields, locks, reason):
    refusal = proposed("adam_betas", SCRIPT, "late-jitter", locks=locks, **fields)

    assert isinstance(refusal, Refusal)
    assert reason in refusal.reason
