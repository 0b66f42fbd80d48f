"""Half the epochs, wherever their number is written."""

import pytest

from progtrain.records import Proposal, Refusal

SCRIPT = "import lightning as L\n\nEPOCHS = 20  # many\ntrainer = L.Trainer(max_epochs=EPOCHS)\n"
TABLE = {
    "a constant": (SCRIPT, SCRIPT.replace("20", "10")),
    "a literal": (SCRIPT.replace("=EPOCHS", "=20"), SCRIPT.replace("=EPOCHS", "=10")),
    "a default": (
        "import lightning as L\n\ndef train(epochs=20):\n    L.Trainer(max_epochs=epochs)\n\ntrain()\n",
        "import lightning as L\n\ndef train(epochs=10):\n    L.Trainer(max_epochs=epochs)\n\ntrain()\n",
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_becomes(becomes, name):
    becomes("fewer_epochs", *TABLE[name], value=10)


def test_halves(proposed):
    proposal = proposed("fewer_epochs", SCRIPT, "best-early")

    assert isinstance(proposal, Proposal)
    assert proposal.parameters == {"value": 10}


@pytest.mark.parametrize(
    ("fields", "locks", "reason"),
    [
        ({}, {"epochs": 20}, "the rules hold epochs"),
        ({"max_epochs": 9}, {}, "another place decides"),
        ({"max_epochs": -1}, {}, "another place decides"),
    ],
)
def test_refuses(proposed, fields, locks, reason):
    refusal = proposed("fewer_epochs", SCRIPT, "best-early", locks=locks, **fields)

    assert isinstance(refusal, Refusal)
    assert reason in refusal.reason


def test_refuses_to_train_for_a_handful(proposed):
    refusal = proposed("fewer_epochs", SCRIPT.replace("20", "8"), "best-early", max_epochs=8)

    assert isinstance(refusal, Refusal)
    assert "fewer than 5" in refusal.reason
