"""Scripts that are captured, audited, patched, captured again, and really trained."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from progtrain.records import Snapshot
from progtrain.rules import Rules
from progtrain.script.auditing.audit import Audit, AuditFacts, audit
from progtrain.script.auditing.audit import patch_to_run as patched_to_run
from progtrain.script.capturing.capture import capture_fit
from progtrain.script.capturing.interception import as_main
from progtrain.script.editing.versioning import set_constant

HEAD = """import json
import sys

import lightning.pytorch as pl
import numpy as np
import torch
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint
from lightning.pytorch.cli import LightningCLI
from lightning.pytorch.loggers import CSVLogger
from torch.utils.data import DataLoader

pl.seed_everything(1, verbose=False)

DATASET_ID = "v1"
VERSION = "baseline"
OUT = f"Models/Artifacts/{VERSION}"


class Model(pl.LightningModule):
    def __init__(self, lr: float = 0.1):
        super().__init__()
        self.save_hyperparameters()
        self.layer = torch.nn.Linear(1, 1)

    def training_step(self, batch, index):
        return self.layer(batch).square().mean()

    def validation_step(self, batch, index):
        self.log("val_loss", 1.0 + self.current_epoch)

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=self.hparams.lr)


class Data(pl.LightningDataModule):
    def train_dataloader(self):
        return DataLoader(torch.from_numpy(np.load(f"dataset/prepdata/{DATASET_ID}/train.npy")), 4)

    def val_dataloader(self):
        return DataLoader(torch.from_numpy(np.load(f"dataset/prepdata/{DATASET_ID}/valid.npy")), 4)


"""
WRITE_SPEC = """def write_spec(model_class):
    spec = {
        "dataset_id": DATASET_ID,
        "version": VERSION,
        "model": model_class,
        "additional_assets": "not_required",
    }
    with open(f"Models/Artifacts/{VERSION}/spec.json", "w", encoding="utf-8") as file:
        json.dump(spec, file, indent=2)


"""
OUTPUTS = ("best.ckpt", "last.ckpt", "logs/version_0/hparams.yaml", "logs/version_0/metrics.csv", "spec.json")
#: Of the text that follows HEAD -> what the audit makes of that text; the configuration file beside it.
Patch = Callable[..., str]


def facts(*configurations: str) -> AuditFacts:
    return AuditFacts("v1", "v001", None, Rules(), configurations)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "dataset/prepdata/v1").mkdir(parents=True)
    for split in ("train", "valid"):
        np.save(tmp_path / f"dataset/prepdata/v1/{split}.npy", np.ones((8, 1), dtype="float32"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def audited(folder: Path) -> Callable[..., Audit]:
    def audited(main: str, *configurations: str) -> Audit:
        runnable = patched_to_run(HEAD + main, facts(*configurations))
        return audit(HEAD + main, captured(runnable), facts(*configurations))

    return audited


@pytest.fixture
def patched(audited: Callable[..., Audit], folder: Path) -> Patch:
    """The text behind HEAD after the patch, which a second audit leaves alone, and which leaves what it must."""

    def patched(main: str, *configurations: str) -> str:
        first = audited(main, *configurations)
        assert [issue.message for issue in first.issues if not issue.patched] == []
        second = audit(first.source, captured(first.source), facts(*configurations))
        assert second == Audit((), first.source)
        train(set_constant(first.source, "VERSION", "v001"))
        left = folder / "Models/Artifacts/v001"
        assert [name for name in OUTPUTS if not (left / name).is_file()] == []
        return first.source.partition("    def val_dataloader(self):\n")[2].partition("\n\n\n")[2]

    return patched


def captured(source: str) -> Snapshot:
    script = Path("02_train_v001.py")
    script.write_text(set_constant(source, "VERSION", "v001"), encoding="utf-8")
    return capture_fit(script).snapshot


def train(source: str) -> None:
    file = os.path.abspath("02_train_v001.py")
    with as_main(file, [file]) as main:
        exec(compile(source, file, "exec", dont_inherit=True), main.__dict__)


_LAST = 'filename="last", save_on_train_epoch_end=True, enable_version_counter=False'
_HOME = 'f"Models/Artifacts/{VERSION}"'
#: What a table abbreviates; "<last, broken>" is a whole assignment.
_SHORT = {
    "<spec>\n": WRITE_SPEC,
    "<logger>": f'CSVLogger(save_dir={_HOME}, name="logs")',
    "<best>": f'ModelCheckpoint(dirpath={_HOME}, filename="best", monitor="val_loss")',
    "<last>": f"ModelCheckpoint(dirpath={_HOME}, {_LAST})",
    "<last in OUT>": f"ModelCheckpoint(dirpath=OUT, {_LAST})",
    "    <last, broken>": f"    last = ModelCheckpoint(\n        dirpath={_HOME}, {_LAST}\n    )",
    "<last, broken>": f"last = ModelCheckpoint(\n    dirpath={_HOME}, {_LAST}\n)",
}


def written_out(text: str) -> str:
    """A table's text with its abbreviations replaced."""
    for short, long in _SHORT.items():
        text = text.replace(short, long)
    return text


@pytest.fixture
def expanded() -> Callable[[str], str]:
    return written_out


@pytest.fixture
def patch_to_run() -> Callable[..., str]:
    """What is mended before the script has been run."""

    def patch(main: str, *configurations: str) -> str:
        return patched_to_run(HEAD + main, facts(*configurations)).removeprefix(HEAD)

    return patch
