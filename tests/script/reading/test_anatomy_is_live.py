"""What the anatomy reads in a script's text is what the script trains with, whatever its habits."""

import pytest

from progtrain.script.capturing.capture import capture_fit
from progtrain.script.editing.edit import set_knob
from progtrain.script.reading.anatomy import read_anatomy
from progtrain.script.settings.knob_values import differing, knob_values

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")

CONSTANTS = """\
import lightning as L
LR, MOMENTUM = 0.05, 0.9
EPOCHS = 2 * 3

class Net(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(6, 8), nn.Dropout(0.25), nn.Linear(8, 3))

    def configure_optimizers(self):
        optimizer = torch.optim.SGD(self.parameters(), LR, MOMENTUM)
        return [optimizer], [torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=2 * LR, total_steps=60)]

L.seed_everything(3)
trainer = L.Trainer(max_epochs=EPOCHS, gradient_clip_val=0.5, logger=False)
trainer.fit(Net(), DataLoader(data(50), 10, True), DataLoader(data(20), 5))
"""
ARGPARSE = """\
import argparse
import lightning.pytorch as pl

class Net(pl.LightningModule):
    def __init__(self, lr=1.0, p=0.9):
        super().__init__()
        self.save_hyperparameters()
        self.net = nn.Sequential(nn.Linear(6, 8), nn.Dropout(p), nn.Linear(8, 3))

    def configure_optimizers(self):
        return torch.optim.AdamW(self.parameters(), self.hparams.lr, weight_decay=0.1, betas=(0.8, 0.9))

def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float, default=1e-2)
    parser.add_argument("--max-epochs", type=int, default="3")
    args = parser.parse_args()
    trainer = pl.Trainer(max_epochs=args.max_epochs, logger=False)
    trainer.fit(Net(lr=args.lr, p=0.1), train_dataloaders=DataLoader(data(50), batch_size=25, shuffle=True))

if __name__ == "__main__":
    main()
"""
DATACLASS = """\
from dataclasses import dataclass
from lightning.pytorch import LightningDataModule, LightningModule, Trainer

@dataclass
class Config:
    lr: float = 0.5
    batch_size: int = 10
    p: float = 0.25

class Data(LightningDataModule):
    def __init__(self, cfg):
        super().__init__()
        self.cfg = cfg

    def make(self, size, shuffle=False):
        return DataLoader(data(size), batch_size=self.cfg.batch_size, shuffle=shuffle)

    def train_dataloader(self):
        return self.make(50, shuffle=True)

    def val_dataloader(self):
        return self.make(20)

class Net(LightningModule):
    def __init__(self, cfg):
        super().__init__()
        self.cfg = cfg
        self.net = nn.Sequential(nn.Linear(6, 8), nn.Dropout(cfg.p), nn.Linear(8, 3))

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), self.cfg.lr)

def main(cfg):
    Trainer(max_epochs=4, logger=False, accumulate_grad_batches=2).fit(Net(cfg), datamodule=Data(cfg))

main(Config(lr=0.02))
"""
COMMON = """\
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

def data(size):
    return TensorDataset(torch.arange(6.0 * size).reshape(size, 6).sin(), torch.arange(size) % 3)

"""
STEP = """\
    def training_step(self, batch, index):
        return F.cross_entropy(self.net(batch[0]), batch[1], label_smoothing=0.05)

    def validation_step(self, batch, index):
        pass

    def configure_optimizers"""


def written(script: str) -> str:
    return COMMON + script.replace("    def configure_optimizers", STEP)


SINGLE = (
    "lr",
    "momentum",
    "betas",
    "weight_decay",
    "optimizer",
    "batch_size",
    "shuffle",
    "epochs",
    "accumulate",
    "seed",
)


@pytest.fixture
def captured(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PL_GLOBAL_SEED", raising=False)

    def capture(source):
        script = tmp_path / "02_train_v001.py"
        script.write_text(source)
        return capture_fit(script).snapshot

    return capture


@pytest.mark.parametrize("script", [CONSTANTS, ARGPARSE, DATACLASS], ids=["constants", "argparse", "dataclass"])
def test_what_is_read_is_what_is_live(captured, script):
    read = read_anatomy(written(script)).knobs
    live = knob_values(captured(written(script)))

    assert {knob: read[knob].value for knob in SINGLE if knob in read} == {
        knob: pytest.approx(live[knob]) if knob == "lr" else live[knob] for knob in SINGLE if knob in read
    }
    assert {"lr", "optimizer", "batch_size", "epochs"} <= set(read)
    assert [read["dropout"].value] == live["dropout"]
    assert read["label_smoothing"].value == live["label_smoothing"]


@pytest.mark.parametrize(
    ("script", "knob", "value"),
    [
        (CONSTANTS, "lr", 0.03),
        (CONSTANTS, "epochs", 7),
        (CONSTANTS, "gradient_clip", 1.0),
        (ARGPARSE, "lr", 0.03),
        (ARGPARSE, "epochs", 7),
        (ARGPARSE, "dropout", 0.2),
        (DATACLASS, "lr", 0.03),
        (DATACLASS, "batch_size", 5),
        (DATACLASS, "label_smoothing", 0.1),
    ],
)
def test_what_is_set_is_what_changes(captured, script, knob, value):
    before = captured(written(script))
    after = captured(set_knob(written(script), knob, value))

    assert differing(before, after) == {knob}
