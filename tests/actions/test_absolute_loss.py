"""The training minimizes absolute errors, which the metric counts; what validation measures by itself stays."""

import pytest

from progtrain.records import Call, Proposal, Refusal

SCRIPT = """\
import torch.nn.functional as F

class Net:
    def training_step(self, batch, index):
        x, y = batch
        return F.mse_loss(self(x), y)  # squared

    def validation_step(self, batch, index):
        return F.mse_loss(self(batch[0]), batch[1])
"""
MODULE = "from torch import nn\n\nloss = nn.MSELoss()\n"
IMPORTED = "from torch.nn import MSELoss\n\nloss = MSELoss(reduction='sum')\n"
TABLE = {
    "the training step's": (SCRIPT, SCRIPT.replace("mse_loss", "l1_loss", 1)),
    "named arguments": (
        SCRIPT.replace("y)  #", "target=y, reduction='sum')  #"),
        SCRIPT.replace("y)  #", "target=y, reduction='sum')  #").replace("mse_loss", "l1_loss", 1),
    ),
    "a module": (MODULE, MODULE.replace("MSELoss", "L1Loss")),
    "an import": (
        IMPORTED,
        "from torch.nn import L1Loss\n\nloss = L1Loss(reduction='sum')\n",
    ),
    "a shared step": (
        SCRIPT.replace("training_step", "step"),
        SCRIPT.replace("training_step", "step").replace("mse_loss", "l1_loss", 1),
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_becomes(becomes, name):
    becomes("absolute_loss", *TABLE[name])


@pytest.mark.parametrize(
    ("source", "match"),
    [
        ("from torch import nn\nnn.L1Loss()\n", "found none"),
        (SCRIPT.replace("training_step", "test_step"), "found none"),
        (SCRIPT + "from torch import nn\nloss = nn.MSELoss()\n", "Expected one kind"),
        (SCRIPT.replace("y)  #", "y, None, None, 'sum')  #"), "Line 6: expected further arguments by name"),
    ],
)
def test_cannot(cannot, source, match):
    cannot("absolute_loss", source, match)


def test_proposes(proposed, regression):
    proposal = proposed("absolute_loss", SCRIPT, "loss-off-metric", **regression)

    assert isinstance(proposal, Proposal)
    assert proposal.where == "line 6: return F.mse_loss(self(x), y)  # squared"
    assert proposal.touches == ("loss",)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"calls": (Call(function="l1_loss", arguments={}),)}, "not one mse_loss"),
        ({"calls": (Call(function="mse_loss", arguments={}),) * 2}, "not one mse_loss"),
        ({"locks": {"loss": "MSE"}}, "the rules hold loss"),
    ],
)
def test_refuses(proposed, regression, fields, reason):
    refusal = proposed("absolute_loss", SCRIPT, "loss-off-metric", **{**regression, **fields})

    assert isinstance(refusal, Refusal)
    assert reason in refusal.reason
