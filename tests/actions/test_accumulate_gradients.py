"""Two batches to a step, where there are steps enough."""

import pytest

from progtrain.records import Proposal, Refusal

SCRIPT = "import lightning as L\ntrainer = L.Trainer(max_epochs=40)\n"
TABLE = {
    "not named": (SCRIPT, SCRIPT.replace("=40", "=40, accumulate_grad_batches=2")),
    "named": (
        SCRIPT.replace("=40", "=40, accumulate_grad_batches=1"),
        SCRIPT.replace("=40", "=40, accumulate_grad_batches=2"),
    ),
    "a constant": (
        "ACCUMULATE = 1  # none\n" + SCRIPT.replace("=40", "=40, accumulate_grad_batches=ACCUMULATE"),
        "ACCUMULATE = 2  # none\n" + SCRIPT.replace("=40", "=40, accumulate_grad_batches=ACCUMULATE"),
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_becomes(becomes, name):
    becomes("accumulate_gradients", *TABLE[name], value=2)


def test_cannot(cannot):
    cannot("accumulate_gradients", SCRIPT.replace("max_epochs=40", "**settings"), "settings", value=2)


def test_doubles(proposed):
    source = SCRIPT.replace("=40", "=80, accumulate_grad_batches=2")
    proposal = proposed("accumulate_gradients", source, "oscillating", max_epochs=80, accumulate_grad_batches=2)

    assert isinstance(proposal, Proposal)
    assert proposal.parameters == {"value": 4}


@pytest.mark.parametrize(
    ("fields", "locks", "reason"),
    [
        ({}, {}, "500 steps would be left"),
        ({"max_epochs": 40, "train": None}, {}, "not known"),
        ({"max_epochs": 40}, {"accumulate": 1}, "the rules hold accumulate"),
    ],
)
def test_refuses(proposed, fields, locks, reason):
    refusal = proposed("accumulate_gradients", SCRIPT, "oscillating", locks=locks, **fields)

    assert isinstance(refusal, Refusal)
    assert reason in refusal.reason
