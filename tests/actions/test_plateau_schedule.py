"""A schedule that watches what the checkpoint watches."""

import pytest

from progtrain.records import CheckpointSettings, Proposal, Refusal, SchedulerSettings

PARAMETERS = {"monitor": "val_loss", "mode": "min", "patience": 2}
SCRIPT = """\
import lightning as L
import torch

class Net:
    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=LR)  # plain

trainer = L.Trainer()
"""
PLATEAU = 'ReduceLROnPlateau({}, mode="min", factor=0.3, patience=2)'
RETURNED = 'return {"optimizer": OPT, "lr_scheduler": {"scheduler": scheduler, "monitor": "val_loss"}}\n'
TABLE = {
    "returned where it is made": (
        SCRIPT,
        SCRIPT.replace("return torch", "optimizer = torch").replace(
            "# plain\n",
            "# plain\n        scheduler = torch.optim.lr_scheduler."
            + PLATEAU.format("optimizer")
            + "\n        "
            + RETURNED.replace("OPT", "optimizer"),
        ),
    ),
    "a name; imported by name": (
        "from lightning import Trainer\nfrom torch import optim\n\ndef configure_optimizers(self):\n"
        "    adam = optim.Adam(self.parameters())\n    return adam\n\nTrainer()\n",
        "from lightning import Trainer\nfrom torch import optim\n\ndef configure_optimizers(self):\n"
        "    adam = optim.Adam(self.parameters())\n    scheduler = optim.lr_scheduler."
        + PLATEAU.format("adam")
        + "\n    "
        + RETURNED.replace("OPT", "adam")
        + "\nTrainer()\n",
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_becomes(becomes, name):
    becomes("plateau_schedule", *TABLE[name], **PARAMETERS)


@pytest.mark.parametrize(
    ("source", "match"),
    [
        (SCRIPT.replace("Trainer()", "Trainer(check_val_every_n_epoch=5)"), "may be missing"),
        (SCRIPT + "L.Trainer()\n", "found 2"),
        (SCRIPT.replace("torch.optim.SGD", "make"), "found 1 with 0"),
    ],
)
def test_cannot(cannot, source, match):
    cannot("plateau_schedule", source, match, **PARAMETERS)


WATCHED = CheckpointSettings(dirpath="Models", filename="best", monitor="val_acc", mode="max", save_last=True)


def test_watches_what_the_checkpoint_watches(proposed):
    proposal = proposed("plateau_schedule", SCRIPT, "late-jitter", checkpoints=(WATCHED,), max_epochs=30)

    assert isinstance(proposal, Proposal)
    assert proposal.parameters == {"monitor": "val_acc", "mode": "max", "patience": 3}


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"checkpoints": ()}, "no ModelCheckpoint monitors"),
        ({"max_epochs": 5}, "too few"),
        ({"schedulers": (SchedulerSettings(type="StepLR", arguments={}),)}, "a schedule already"),
    ],
)
def test_refuses(proposed, fields, reason):
    refusal = proposed("plateau_schedule", SCRIPT, "late-jitter", **{"checkpoints": (WATCHED,), **fields})

    assert isinstance(refusal, Refusal)
    assert reason in refusal.reason
