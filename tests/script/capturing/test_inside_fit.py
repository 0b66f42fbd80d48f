"""A fit that Lightning sets up, and something else in the training's place."""

import contextlib
from pathlib import Path

import pytest
import torch

from progtrain.errors import CaptureError
from progtrain.evaluation.asking.isolation import apart
from progtrain.script.capturing.inside_fit import inside_fit
from tests.script.capturing import scripts

pytestmark = pytest.mark.filterwarnings("ignore")

SCRIPT = """
import torch
import {package} as pl
from {package}.callbacks import ModelCheckpoint
from {package}.loggers import CSVLogger
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Data(pl.LightningDataModule):
    def setup(self, stage):
        self.rows = TensorDataset(torch.ones(10, 2), torch.zeros(10))

    def on_before_batch_transfer(self, batch, dataloader_idx):
        return [batch[0] + 1, batch[1]]

    def train_dataloader(self):
        return DataLoader(self.rows, 4)

    def val_dataloader(self):
        return DataLoader(self.rows, 4)


class Model(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.seen = []
        self.net = nn.Linear(2, 1)

    def setup(self, stage):
        self.seen.append("setup")

    def configure_model(self):
        self.seen.append("configure_model")

    def on_fit_start(self):
        self.register_buffer("scale", torch.tensor(10.0))
        self.seen.append("on_fit_start")

    def on_validation_epoch_start(self):
        self.seen.append("on_validation_epoch_start")

    def on_after_batch_transfer(self, batch, dataloader_idx):
        return [batch[0] * self.scale, batch[1]]

    def training_step(self, batch, batch_idx):
        raise AssertionError("nothing is trained here")

    def validation_step(self, batch, batch_idx):
        self.log("val_mean", batch[0].mean())

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


model = Model()
trainer = pl.Trainer(
    max_epochs=1, accelerator="cpu", precision="64-true", callbacks=[ModelCheckpoint("kept", monitor="val_mean")],
    logger=CSVLogger("logs"),
)
trainer.fit(model, datamodule=Data()){after}
"""


def inside(script: Path, run):
    def work(send):
        with contextlib.chdir(script.parent):
            inside_fit(Path(script.name), lambda fit: send(run(fit)))

    torch.set_num_threads(1)
    return list(apart(work))


def written(folder: Path, package: str = "lightning.pytorch", after: str = "") -> Path:
    path = folder / "02_train_v001.py"
    path.write_text(SCRIPT.format(package=package, after=after))
    return path


@pytest.mark.parametrize("package", ["lightning.pytorch", "pytorch_lightning"])
def test_hooks_precision_and_loaders_are_those_of_the_fit(package: str, tmp_path: Path) -> None:
    def run(fit):
        fit.begin_validation()
        batch = next(iter(fit.validation_loaders()))
        with fit.answering():
            answer = fit.model.net(fit.prepared(batch)[0])
        return {
            "seen": fit.model.seen,
            "input": fit.prepared(batch)[0],
            "watched": [each.monitor for each in fit.checkpoints],
            "learns": answer.requires_grad,
            "training": fit.model.training,
        }

    (found,) = inside(written(tmp_path, package), run)
    assert found["seen"] == ["setup", "configure_model", "on_fit_start", "on_validation_epoch_start"]
    assert found["input"].dtype == torch.float64
    assert found["input"].unique().tolist() == [20.0]
    assert (found["watched"], found["learns"], found["training"]) == (["val_mean"], False, False)
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "__pycache__") == ["02_train_v001.py"]


def test_the_scripts_own_validation_gives_what_it_logs(tmp_path: Path) -> None:
    assert inside(written(tmp_path), lambda fit: fit.validate()) == [{"val_mean": 20.0}]


def test_what_is_raised_inside_comes_out_and_what_follows_fit_is_not_run(tmp_path: Path) -> None:
    script = written(tmp_path, after='\nraise AssertionError("behind fit")')
    assert inside(script, lambda fit: "reached") == ["reached"]

    def fail(fit):
        raise CaptureError("no such loader")

    with pytest.raises(Exception, match=r"^no such loader$"):
        inside(script, fail)


TALKATIVE = """
class Talkative(Model):
    def on_fit_start(self):
        super().on_fit_start()
        self.logger.experiment.add_text("begun", "now")
        self.logger.log_hyperparams({"lr": 0.1})
        assert self.logger.log_dir and self.trainer.log_dir
        assert self.trainer.callbacks

    def on_validation_epoch_end(self):
        self.log("val_seen", 3.0)


class Writes(pl.Callback):
    def on_fit_start(self, trainer, module):
        module.seen.append("callback")

    def on_validation_epoch_end(self, trainer, module):
        open("written by a callback", "w").close()


model = Talkative()
stops = pl.callbacks.EarlyStopping("val_mean", mode="max")
trainer = pl.Trainer(max_epochs=1, accelerator="cpu", precision="64-true", logger=CSVLogger("logs"), callbacks=[
    ModelCheckpoint("kept", monitor="val_mean", save_last=True), stops, Writes(),
])
trainer.fit(model, datamodule=Data())
"""


@pytest.mark.parametrize("package", ["lightning.pytorch", "pytorch_lightning"])
def test_a_validation_that_talks_writes_nothing(package: str, tmp_path: Path) -> None:
    script = written(tmp_path, package)
    source = script.read_text()
    script.write_text(source[: source.index("model = Model()")] + TALKATIVE)
    (found,) = inside(script, lambda fit: {"logged": fit.validate(), "seen": fit.model.seen})
    assert found["logged"] == {"val_mean": 20.0, "val_seen": 3.0}
    assert "callback" in found["seen"]
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "__pycache__") == ["02_train_v001.py"]


@pytest.mark.parametrize(
    ("loaders", "found"),
    [("[loader(20), loader(30)]", [20, 30]), ("{'a': loader(20)}", {"a": 20}), ("loader(30)", 30), ("None", None)],
)
def test_validation_loaders_are_as_the_script_gives_them(loaders: str, found, tmp_path: Path) -> None:
    def sizes(loaders):
        if isinstance(loaders, dict):
            return {name: sizes(each) for name, each in loaders.items()}
        if isinstance(loaders, list):
            return [sizes(each) for each in loaders]
        return None if loaders is None else len(loaders.dataset)

    script = scripts.written(tmp_path, "import lightning as L", f"{scripts.TRAINER}.fit(Net(), loader(50), {loaders})")
    assert inside(script, lambda fit: {"sizes": sizes(fit.validation_loaders())}) == [{"sizes": found}]
