"""EarlyStopping joins the Trainer's callbacks and watches what the checkpoint watches."""

import pytest

from progtrain.records import CheckpointSettings, Proposal, Refusal, SchedulerSettings

PARAMETERS = {"monitor": "val_loss", "mode": "min", "patience": 5}
STOPPING = 'EarlyStopping(monitor="val_loss", mode="min", patience=5)'
SCRIPT = "import lightning as L\ntrainer = L.Trainer(max_epochs=20)\n"
TABLE = {
    "no callbacks": (SCRIPT, SCRIPT.replace("=20", f"=20, callbacks=[L.pytorch.callbacks.{STOPPING}]")),
    "a list, one a line": (
        """\
        from lightning.pytorch import Trainer
        from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint

        trainer = Trainer(
            callbacks=[
                ModelCheckpoint(monitor="val_loss"),  # the best
            ],
        )
        """,
        f"""\
        from lightning.pytorch import Trainer
        from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint

        trainer = Trainer(
            callbacks=[
                ModelCheckpoint(monitor="val_loss"),  # the best
                {STOPPING},
            ],
        )
        """,
    ),
    "a name": (
        "import pytorch_lightning as pl\nkept = [pl.callbacks.ModelCheckpoint()]\npl.Trainer(callbacks=kept)\n",
        "import pytorch_lightning as pl\n"
        f"kept = [pl.callbacks.ModelCheckpoint(), pl.callbacks.{STOPPING}]\npl.Trainer(callbacks=kept)\n",
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_becomes(becomes, name):
    becomes("early_stopping", *TABLE[name], **PARAMETERS)


@pytest.mark.parametrize(
    ("source", "match"),
    [
        (SCRIPT.replace("=20", "=20, callbacks=[L.pytorch.callbacks.EarlyStopping('loss')]"), "found EarlyStopping"),
        (SCRIPT.replace("max_epochs=20", "callbacks=make()"), "as a list"),
        (SCRIPT + "L.Trainer()\n", "found 2"),
    ],
)
def test_cannot(cannot, source, match):
    cannot("early_stopping", source, match, **PARAMETERS)


WATCHED = CheckpointSettings(dirpath="Models", filename="best", monitor="val_acc", mode="max", save_last=True)


def test_fixed_epochs_remain_the_most_there_are(proposed):
    proposal = proposed("early_stopping", SCRIPT, "best-early", locks={"epochs": 20}, checkpoints=(WATCHED,))

    assert isinstance(proposal, Proposal)
    assert proposal.parameters == {"monitor": "val_acc", "mode": "max", "patience": 5}
    assert proposal.touches == ("early_stopping",)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"checkpoints": ()}, "no ModelCheckpoint monitors"),
        ({"callbacks": ("EarlyStopping(monitor='val_loss')",)}, "stops early already"),
        ({"schedulers": (SchedulerSettings(type="OneCycleLR", arguments={}),)}, "OneCycleLR lowers the rate"),
        ({"max_epochs": 5}, "nothing to be saved"),
    ],
)
def test_refuses(proposed, fields, reason):
    refusal = proposed("early_stopping", SCRIPT, "best-early", **{"checkpoints": (WATCHED,), **fields})

    assert isinstance(refusal, Refusal)
    assert reason in refusal.reason
