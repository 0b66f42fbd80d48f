"""The Trainer clips gradients, in the layout of its call."""

import pytest

from progtrain.records import Proposal, Refusal

SCRIPT = """\
import lightning as L

trainer = L.Trainer(
    max_epochs=20,  # fixed
    logger=False,
)
"""
TABLE = {
    "a line an argument": (SCRIPT, SCRIPT.replace("False,\n", "False,\n    gradient_clip_val=1.0,\n")),
    "one line": (
        "from pytorch_lightning import Trainer\nTrainer(max_epochs=20).fit(model)\n",
        "from pytorch_lightning import Trainer\nTrainer(max_epochs=20, gradient_clip_val=1.0).fit(model)\n",
    ),
    "no argument": (
        "import lightning.pytorch as pl\npl.Trainer()\n",
        "import lightning.pytorch as pl\npl.Trainer(gradient_clip_val=1.0)\n",
    ),
    "switched off": (
        "import lightning.pytorch as pl\nCLIP = None\npl.Trainer(gradient_clip_val=CLIP)\n",
        "import lightning.pytorch as pl\nCLIP = 1.0\npl.Trainer(gradient_clip_val=CLIP)\n",
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_becomes(becomes, name):
    becomes("clip_gradients", *TABLE[name], value=1.0)


@pytest.mark.parametrize(
    ("source", "match"),
    [
        ("print()\n", "Expected one call"),
        (SCRIPT + "again = L.Trainer()\n", "Expected one call"),
        (SCRIPT.replace("logger=False", "**options"), "options is not defined"),
    ],
)
def test_cannot(cannot, source, match):
    cannot("clip_gradients", source, match, value=1.0)


def test_proposes(proposed):
    proposal = proposed("clip_gradients", SCRIPT, "gradient-spikes")

    assert isinstance(proposal, Proposal)
    assert proposal.touches == ("gradient_clip",)


@pytest.mark.parametrize(
    ("fields", "locks", "reason"),
    [
        ({"gradient_clip_val": 0.5}, {}, "clipped already, to 0.5"),
        ({"automatic_optimization": False}, {}, "by hand"),
        ({}, {"gradient_clip": None}, "the rules hold gradient_clip"),
    ],
)
def test_refuses(proposed, fields, locks, reason):
    refusal = proposed("clip_gradients", SCRIPT, "diverged", locks=locks, **fields)

    assert isinstance(refusal, Refusal)
    assert reason in refusal.reason
