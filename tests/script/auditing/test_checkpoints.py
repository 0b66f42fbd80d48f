"""best.ckpt stays the user's, last.ckpt becomes the end of the training, wherever the callback is made."""

from __future__ import annotations

from collections.abc import Callable

import pytest

pytestmark = pytest.mark.filterwarnings("ignore")

TABLE = [
    pytest.param(
        """\
callbacks = [
    ModelCheckpoint(dirpath="ckpt", filename="{epoch}-{val_loss:.2f}", monitor="val_loss", save_top_k=3),
    ModelCheckpoint("ckpt", "e", save_top_k=-1),
    EarlyStopping("val_loss"),  # patience 3
]
trainer = pl.Trainer(max_epochs=2, callbacks=callbacks, logger=CSVLogger("logs"))
trainer.fit(Model(), Data())
""",
        """\
<spec>
callbacks = [
    ModelCheckpoint(dirpath=f"Models/Artifacts/{VERSION}", filename="best", monitor="val_loss", save_top_k=1),
    ModelCheckpoint(f"Models/Artifacts/{VERSION}", "e", save_top_k=-1, save_last=True, save_on_train_epoch_end=True),
    EarlyStopping("val_loss"),  # patience 3
]
trainer = pl.Trainer(max_epochs=2, callbacks=callbacks, logger=CSVLogger(f"Models/Artifacts/{VERSION}", name="logs"))
trainer.fit(Model(), Data())
write_spec(type(trainer.lightning_module).__name__)
""",
        id="two checkpoints",
    ),
    pytest.param(
        """\
callbacks = []
callbacks.append(ModelCheckpoint(dirpath=OUT, filename="best", monitor="val_loss", mode="min", save_last=True))
callbacks.append(EarlyStopping("val_loss"))
trainer = pl.Trainer(max_epochs=2, callbacks=callbacks, logger=CSVLogger(OUT, name="logs"))
trainer.fit(Model(), Data())
""",
        """\
<spec>
callbacks = []
callbacks.append(ModelCheckpoint(dirpath=OUT, filename="best", monitor="val_loss", mode="min"))
callbacks.append(<last in OUT>)
callbacks.append(EarlyStopping("val_loss"))
trainer = pl.Trainer(max_epochs=2, callbacks=callbacks, logger=CSVLogger(OUT, name="logs"))
trainer.fit(Model(), Data())
write_spec(type(trainer.lightning_module).__name__)
""",
        id="appended",
    ),
    pytest.param(
        """\
def build_checkpoint():
    return ModelCheckpoint(
        dirpath=OUT,
        monitor="val_loss",
        save_last=True,
    )


callbacks = (build_checkpoint(), EarlyStopping("val_loss"))
trainer = pl.Trainer(max_epochs=2, callbacks=list(callbacks), logger=CSVLogger(OUT, name="logs"))
trainer.fit(Model(), Data())
""",
        """\
def build_checkpoint():
    return ModelCheckpoint(
        dirpath=OUT,
        monitor="val_loss",
        filename="best",
    )


<spec>
callbacks = (build_checkpoint(), EarlyStopping("val_loss"))
last = <last in OUT>
trainer = pl.Trainer(max_epochs=2, callbacks=[*list(callbacks), last], logger=CSVLogger(OUT, name="logs"))
trainer.fit(Model(), Data())
write_spec(type(trainer.lightning_module).__name__)
""",
        id="built",
    ),
    pytest.param(
        """\
def callbacks():
    return [ModelCheckpoint(OUT, "best", monitor="val_loss", save_last=True), EarlyStopping("val_loss")]


trainer = pl.Trainer(max_epochs=2, callbacks=callbacks(), logger=CSVLogger(OUT, name="logs"))
trainer.fit(Model(), Data())
""",
        """\
def callbacks():
    last = <last in OUT>
    return [ModelCheckpoint(OUT, "best", monitor="val_loss"), last, EarlyStopping("val_loss")]


<spec>
trainer = pl.Trainer(max_epochs=2, callbacks=callbacks(), logger=CSVLogger(OUT, name="logs"))
trainer.fit(Model(), Data())
write_spec(type(trainer.lightning_module).__name__)
""",
        id="list function",
    ),
    pytest.param(
        """\
options = dict(monitor="val_loss", save_last=True)
checkpoint = ModelCheckpoint(**options)
trainer = pl.Trainer(max_epochs=2, callbacks=[checkpoint], logger=CSVLogger(OUT, name="logs"))
trainer.fit(Model(), Data())
""",
        """\
<spec>
options = dict(monitor="val_loss", save_last=True)
checkpoint = ModelCheckpoint(**options)
trainer = pl.Trainer(max_epochs=2, callbacks=[checkpoint], logger=CSVLogger(OUT, name="logs"))
trainer.checkpoint_callback.dirpath = f"Models/Artifacts/{VERSION}"
trainer.checkpoint_callback.filename = "best"
trainer.checkpoint_callback.save_last = False
trainer.callbacks.append(<last>)
trainer.fit(Model(), Data())
write_spec(type(trainer.lightning_module).__name__)
""",
        id="checkpoint kwargs",
    ),
    pytest.param(
        """\
class Experiment:
    def __init__(self):
        self.checkpoint = ModelCheckpoint(dirpath=OUT, filename="best", monitor="val_loss", save_last=True)
        self.trainer = pl.Trainer(max_epochs=2, callbacks=[self.checkpoint], logger=CSVLogger(OUT, name="logs"))

    def run(self):
        self.model = Model()
        self.trainer.fit(self.model, Data())


Experiment().run()
""",
        """\
<spec>
class Experiment:
    def __init__(self):
        self.checkpoint = ModelCheckpoint(dirpath=OUT, filename="best", monitor="val_loss")
        last = <last in OUT>
        self.trainer = pl.Trainer(max_epochs=2, callbacks=[self.checkpoint, last], logger=CSVLogger(OUT, name="logs"))

    def run(self):
        self.model = Model()
        self.trainer.fit(self.model, Data())
        write_spec(type(self.model).__name__)


Experiment().run()
""",
        id="attr",
    ),
    pytest.param(
        """\
DATA = "/home/me/project/dataset/prepdata/v1"
best = ModelCheckpoint("Models/Artifacts/run7", "best", monitor="val_loss")
last = ModelCheckpoint("Models/Artifacts/run7", "last")
trainer = pl.Trainer(max_epochs=2, callbacks=[best, last], logger=CSVLogger("Models/Artifacts/run7", "logs"))
train = torch.from_numpy(np.load(f"{DATA}/train.npy"))
valid = torch.from_numpy(np.load("../dataset/prepdata/v1/valid.npy"))
trainer.fit(Model(), DataLoader(train, 4), DataLoader(valid, 4))
""",
        """\
<spec>
DATA = f"dataset/prepdata/{DATASET_ID}"
best = ModelCheckpoint(f"Models/Artifacts/{VERSION}", "best", monitor="val_loss")
last = ModelCheckpoint(f"Models/Artifacts/{VERSION}", "last")
trainer = pl.Trainer(max_epochs=2, callbacks=[best, last], logger=CSVLogger(f"Models/Artifacts/{VERSION}", "logs"))
train = torch.from_numpy(np.load(f"{DATA}/train.npy"))
valid = torch.from_numpy(np.load(f"dataset/prepdata/{DATASET_ID}/valid.npy"))
trainer.fit(Model(), DataLoader(train, 4), DataLoader(valid, 4))
write_spec(type(trainer.lightning_module).__name__)
""",
        id="paths",
    ),
]


@pytest.mark.parametrize(("before", "after"), TABLE)
def test_the_best_stays_and_the_end_is_kept(
    patched: Callable[..., str], expanded: Callable[[str], str], before: str, after: str
) -> None:
    assert patched(before) == expanded(after)
