"""The averaging callback joins the Trainer's callbacks."""

import pytest

from progtrain.records import LoaderSettings, Proposal, Refusal

TABLE = {
    "no callbacks; lightning": (
        "import lightning as L\ntrainer = L.Trainer(max_epochs=3)\n",
        "import lightning as L\n"
        "trainer = L.Trainer(max_epochs=3, callbacks=[L.pytorch.callbacks.EMAWeightAveraging(decay=0.99)])\n",
    ),
    "a list; lightning.pytorch": (
        """\
        from lightning.pytorch import Trainer
        from lightning.pytorch.callbacks import ModelCheckpoint

        trainer = Trainer(
            callbacks=[
                ModelCheckpoint(monitor="val_loss"),  # the best
            ],
        )
        """,
        """\
        from lightning.pytorch import Trainer
        from lightning.pytorch.callbacks import ModelCheckpoint
        from lightning.pytorch.callbacks import EMAWeightAveraging

        trainer = Trainer(
            callbacks=[
                ModelCheckpoint(monitor="val_loss"),  # the best
                EMAWeightAveraging(decay=0.99),
            ],
        )
        """,
    ),
    "a name; pytorch_lightning": (
        """\
        import pytorch_lightning as pl

        callbacks = [pl.callbacks.ModelCheckpoint()]
        trainer = pl.Trainer(callbacks=callbacks)
        """,
        """\
        import pytorch_lightning as pl

        callbacks = [pl.callbacks.ModelCheckpoint(), pl.callbacks.EMAWeightAveraging(decay=0.99)]
        trainer = pl.Trainer(callbacks=callbacks)
        """,
    ),
    "an empty list": (
        "import lightning.pytorch as pl\nt = pl.Trainer(callbacks=[])\n",
        "import lightning.pytorch as pl\nt = pl.Trainer(callbacks=[pl.callbacks.EMAWeightAveraging(decay=0.99)])\n",
    ),
}
SCRIPT = TABLE["no callbacks; lightning"][0]


@pytest.mark.parametrize("name", TABLE)
def test_becomes(becomes, name):
    becomes("ema", *TABLE[name], decay=0.99)


@pytest.mark.parametrize(
    ("source", "match"),
    [
        ("import torch\n", "Expected one Trainer, found 0"),
        (SCRIPT + "L.Trainer()\n", "Expected one Trainer, found 2"),
        (SCRIPT.replace("max_epochs=3", "callbacks=make()"), "as a list"),
        (SCRIPT.replace("max_epochs=3", "**settings"), "spelled out"),
    ],
)
def test_cannot(cannot, source, match):
    cannot("ema", source, match, decay=0.99)


def test_looks_back_over_a_part_of_the_training(proposed):
    short = proposed("ema", SCRIPT, "late-jitter")
    long = proposed("ema", SCRIPT, "late-jitter", max_epochs=2000)
    assert isinstance(short, Proposal)
    assert isinstance(long, Proposal)
    assert (short.parameters, long.parameters) == ({"decay": 0.99}, {"decay": 0.999})


LOADER = LoaderSettings(size=64, batch_size=64, shuffle=True, sampler="RandomSampler", workers=0, fingerprint=None)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"callbacks": ("EMAWeightAveraging",)}, "averaged already"),
        ({"train": LOADER}, "20 steps are too few"),
        ({"train": None}, "not known"),
    ],
)
def test_refuses(proposed, fields, reason):
    refusal = proposed("ema", SCRIPT, "late-jitter", **fields)
    assert isinstance(refusal, Refusal)
    assert reason in refusal.reason
