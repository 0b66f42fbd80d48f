"""The rate is divided by three, by ten where the training diverged."""

import pytest

from progtrain.records import OptimizerSettings, Proposal, Refusal

SCRIPT = """\
import pytorch_lightning as pl
import torch

class Net(pl.LightningModule):
    def __init__(self, lr=0.01, width=64):
        super().__init__()
        self.save_hyperparameters()

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=self.hparams.lr)
"""
TABLE = {
    "a default": (SCRIPT, SCRIPT.replace("0.01", "0.00333"), [0.01], [0.00333]),
    "an argument": (
        SCRIPT + "Net(lr=0.01)\n",
        SCRIPT + "Net(lr=0.001)\n",
        [0.01],
        [0.001],
    ),
    "small numbers": (
        "import torch\ntorch.optim.Adam(p, lr=1e-4)\n",
        "import torch\ntorch.optim.Adam(p, lr=1e-5)\n",
        [1e-4],
        [1e-5],
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_becomes(becomes, name):
    before, after, old, new = TABLE[name]
    becomes("lower_learning_rate", before, after, old=old, new=new)


@pytest.mark.parametrize(("finding", "new"), [("oscillating", 0.00333), ("diverged", 0.001), ("huge-rate", 0.001)])
def test_proposes_by_what_was_found(proposed, finding, new):
    proposal = proposed("lower_learning_rate", SCRIPT, finding)

    assert isinstance(proposal, Proposal)
    assert proposal.parameters == {"old": [0.01], "new": [new]}
    assert proposal.change == f"learning rate from 0.01 to {new:g}"


@pytest.mark.parametrize(
    ("source", "fields", "locks", "reason"),
    [
        (SCRIPT, {}, {"lr": 0.01}, "the rules hold lr"),
        (SCRIPT + "Net(lr=0.5)\n", {}, {}, "another place decides"),
        (SCRIPT + "Net(0.1)\nNet(0.2)\n", {}, {}, "several places"),
        (
            SCRIPT.replace("0.01", "1e-7"),
            {"optimizers": (OptimizerSettings(type="SGD", groups=({"lr": 1e-7},)),)},
            {},
            "out of the range",
        ),
    ],
)
def test_refuses(proposed, source, fields, locks, reason):
    refusal = proposed("lower_learning_rate", source, "oscillating", locks=locks, **fields)

    assert isinstance(refusal, Refusal)
    assert reason in refusal.reason


@pytest.mark.parametrize(
    ("finding", "suggested", "new"),
    [
        ("oscillating", 0.002, 0.002),
        ("oscillating", 1e-5, 0.001),
        ("diverged", 0.004, 0.004),
        ("diverged", 0.02, 0.001),
        ("diverged", 0.009, 0.001),
    ],
    ids=["as it is", "to a tenth at most", "where it diverged too", "unless it is above", "unless it is near"],
)
def test_takes_what_a_range_test_suggests(proposed, becomes, finding, suggested, new):
    proposal = proposed("lower_learning_rate", SCRIPT, finding, suggested_rate=suggested)

    assert isinstance(proposal, Proposal)
    assert proposal.parameters == {"old": [0.01], "new": [new]}
    becomes("lower_learning_rate", SCRIPT, SCRIPT.replace("0.01", f"{new:g}"), **proposal.parameters)


@pytest.mark.parametrize(
    ("suggested", "reason"),
    [
        (0.03, "suggests a rate of 0.03, above the present 0.01"),
        (0.011, "within 25% of the present 0.01"),
        (0.008, "within 25% of the present 0.01"),
    ],
)
def test_refuses_what_a_range_test_speaks_against(proposed, suggested, reason):
    refusal = proposed("lower_learning_rate", SCRIPT, "oscillating", suggested_rate=suggested)

    assert isinstance(refusal, Refusal)
    assert reason in refusal.reason
