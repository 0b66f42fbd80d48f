"""Half as many epochs again, wherever their number is written."""

import pytest

from progtrain.records import Proposal, Refusal, SchedulerSettings

SCRIPT = "import lightning as L\n\nEPOCHS = 20  # enough?\ntrainer = L.Trainer(max_epochs=EPOCHS)\n"
TABLE = {
    "a constant": (SCRIPT, SCRIPT.replace("20", "30")),
    "a literal": (SCRIPT.replace("=EPOCHS", "=20"), SCRIPT.replace("=EPOCHS", "=30")),
    "an option": (
        "import argparse\nimport lightning as L\n\n"
        'parser = argparse.ArgumentParser()\nparser.add_argument("--epochs", type=int, default=20)\n'
        "trainer = L.Trainer(max_epochs=parser.parse_args().epochs)\n",
        "import argparse\nimport lightning as L\n\n"
        'parser = argparse.ArgumentParser()\nparser.add_argument("--epochs", type=int, default=30)\n'
        "trainer = L.Trainer(max_epochs=parser.parse_args().epochs)\n",
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_becomes(becomes, name):
    becomes("more_epochs", *TABLE[name], value=30)


def test_cannot(cannot):
    cannot("more_epochs", SCRIPT + "other = L.Trainer(max_epochs=5)\n", "epochs", value=30)


def test_rounds_up(proposed):
    proposal = proposed("more_epochs", SCRIPT.replace("20", "15"), "still-improving", max_epochs=15)

    assert isinstance(proposal, Proposal)
    assert proposal.parameters == {"value": 23}


@pytest.mark.parametrize(
    ("fields", "locks", "reason"),
    [
        ({}, {"epochs": 20}, "the rules hold epochs"),
        ({"max_steps": 500}, {}, "ends at max_steps"),
        ({"max_epochs": 7}, {}, "another place decides"),
    ],
)
def test_refuses(proposed, fields, locks, reason):
    refusal = proposed("more_epochs", SCRIPT, "still-improving", locks=locks, **fields)

    assert isinstance(refusal, Refusal)
    assert reason in refusal.reason


def test_a_function_that_reads_the_epochs_holds_them(proposed):
    schedulers = (SchedulerSettings(type="LambdaLR", arguments={"lr_lambda": "warm#1"}),)
    fields = {"schedulers": schedulers, "max_epochs": 20}

    refusal = proposed("more_epochs", SCRIPT + "STEPS = EPOCHS * 10\n", "still-improving", **fields)

    assert isinstance(refusal, Refusal)
    assert "follows a function of the script's own" in refusal.reason
    assert isinstance(proposed("more_epochs", SCRIPT, "still-improving", **fields), Proposal)
