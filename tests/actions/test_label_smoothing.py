"""Labels are smoothed in the training's cross entropy, and nowhere else."""

import pytest

from progtrain.records import Call, Proposal, Refusal

SCRIPT = """\
import torch.nn.functional as F

class Net:
    def training_step(self, batch, index):
        x, y = batch
        return F.cross_entropy(self(x), y)  # nats

    def validation_step(self, batch, index):
        x, y = batch
        return F.cross_entropy(self(x), y)
"""
MODULE = "from torch import nn\n\nloss = nn.CrossEntropyLoss(reduction='mean')\n"
TABLE = {
    "the training step's": (SCRIPT, SCRIPT.replace("y)  #", "y, label_smoothing=0.1)  #")),
    "a module": (MODULE, MODULE.replace("'mean'", "'mean', label_smoothing=0.1")),
    "named": (
        MODULE.replace("reduction='mean'", "label_smoothing=0.0"),
        MODULE.replace("reduction='mean'", "label_smoothing=0.1"),
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_becomes(becomes, name):
    becomes("label_smoothing", *TABLE[name], value=0.1)


@pytest.mark.parametrize(
    ("source", "match"),
    [
        ("from torch import nn\nnn.MSELoss()\n", "Expected one call"),
        (MODULE + "other = nn.CrossEntropyLoss()\n", "Expected one call"),
        (
            MODULE.replace("loss", "options = {}\nloss").replace("reduction", "**options, reduction"),
            "got \\* or \\*\\*",
        ),
    ],
)
def test_cannot(cannot, source, match):
    cannot("label_smoothing", source, match, value=0.1)


def _smoothed(*values: float) -> tuple[Call, ...]:
    return tuple(Call(function="cross_entropy", arguments={"label_smoothing": value}) for value in values)


def test_proposes(proposed):
    proposal = proposed("label_smoothing", SCRIPT, "overfitting", calls=_smoothed(0.0))

    assert isinstance(proposal, Proposal)
    assert proposal.where == "line 6: return F.cross_entropy(self(x), y)  # nats"
    assert proposal.touches == ("label_smoothing",)


@pytest.mark.parametrize(
    ("calls", "locks", "reason"),
    [
        (_smoothed(0.2), {}, "smoothed already, by 0.2"),
        (_smoothed(0.0, 0.0), {}, "not one cross entropy"),
        ((), {}, "not one cross entropy"),
        (_smoothed(0.0), {"label_smoothing": 0}, "the rules hold label_smoothing"),
    ],
)
def test_refuses(proposed, calls, locks, reason):
    refusal = proposed("label_smoothing", SCRIPT, "overfitting", locks=locks, calls=calls)

    assert isinstance(refusal, Refusal)
    assert reason in refusal.reason
