"""Every repair from the error that a real training raises: it is recognised, mended, and the training goes on."""

from __future__ import annotations

import os
import traceback
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch

from progtrain.errors import EditError
from progtrain.repairs import Failure, mended, repairs

TEMPLATE = """\
import lightning.pytorch as pl
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset


class Model(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 3)
        self.criterion = nn.CrossEntropyLoss()

    def training_step(self, batch, index):
        x, y = batch
        {loss}

    def validation_step(self, batch, index):
        x, y = batch
        self.log("valid_loss", F.cross_entropy(self.layer(x), y.long()))

    def configure_optimizers(self):
        optimizer = torch.optim.SGD(self.parameters(), 0.01)
        {returned}


data = TensorDataset(torch.randn(24, 4), torch.arange(24){targets} % 3)
train, valid = DataLoader(data, batch_size=8{loader}), DataLoader(data, batch_size=8)
trainer = pl.Trainer(max_epochs=2, logger=False, enable_progress_bar=False, enable_model_summary=False{trainer})
trainer.fit(Model(), train, valid)
{after}
"""
PLAIN = {
    "loss": "return F.cross_entropy(self.layer(x), y)",
    "returned": "return optimizer",
    "targets": "",
    "loader": "",
    "trainer": ", enable_checkpointing=False",
    "after": "",
}
PLATEAU = "torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer)"
CYCLE = (
    'return [optimizer], [{{"scheduler": torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, {}), "interval": "step"}}]'
)
CHECKPOINT = ', callbacks=[pl.callbacks.ModelCheckpoint(dirpath="out", monitor="{}")]'


@dataclass(frozen=True)
class Case:
    """What is otherwise in the template, and what the repair writes in its place."""

    repair: str
    parts: dict[str, str]
    after: dict[str, str]
    live: dict[str, Any] = field(default_factory=dict)


CASES = {
    "gpus": Case("removed_trainer_argument", {"trainer": ", gpus=0"}, {"trainer": ""}),
    "gpus of a machine": Case("removed_trainer_argument", {"trainer": ", gpus=2"}, {"trainer": ', accelerator="auto"'}),
    "several removed": Case(
        "removed_trainer_argument",
        {"trainer": ", checkpoint_callback=False, weights_summary=None, auto_lr_find=False, val_percent_check=1.0"},
        {"trainer": ", enable_checkpointing=False, limit_val_batches=1.0"},
    ),
    "a gpu": Case(
        "accelerator_not_there",
        {"trainer": ', accelerator="gpu", devices=1, enable_checkpointing=False'},
        {"trainer": ', accelerator="auto", devices=1, enable_checkpointing=False'},
    ),
    "cuda, all devices": Case(
        "accelerator_not_there",
        {"trainer": ', accelerator="cuda", devices=-1, enable_checkpointing=False'},
        {"trainer": ', accelerator="auto", devices="auto", enable_checkpointing=False'},
    ),
    "plateau in a list": Case(
        "plateau_without_monitor",
        {"returned": f"return [optimizer], [{PLATEAU}]"},
        {"returned": f'return [optimizer], [{{"scheduler": {PLATEAU}, "monitor": "valid_loss"}}]'},
    ),
    "plateau in a dict": Case(
        "plateau_without_monitor",
        {"returned": f'return {{"optimizer": optimizer, "lr_scheduler": {PLATEAU}}}'},
        {"returned": f'return {{"optimizer": optimizer, "lr_scheduler": {PLATEAU}, "monitor": "valid_loss"}}'},
    ),
    "plateau in two dicts": Case(
        "plateau_without_monitor",
        {"returned": f'return {{"optimizer": optimizer, "lr_scheduler": {{"scheduler": {PLATEAU}}}}}'},
        {
            "returned": 'return {"optimizer": optimizer, "lr_scheduler": {"scheduler": '
            + PLATEAU
            + ', "monitor": "valid_loss"}}'
        },
    ),
    "a plateau of another figure": Case(
        "figure_not_logged",
        {"returned": f'return {{"optimizer": optimizer, "lr_scheduler": {PLATEAU}, "monitor": "val_loss"}}'},
        {"returned": f'return {{"optimizer": optimizer, "lr_scheduler": {PLATEAU}, "monitor": "valid_loss"}}'},
    ),
    "a checkpoint of another figure": Case(
        "figure_not_logged", {"trainer": CHECKPOINT.format("val_loss")}, {"trainer": CHECKPOINT.format("valid_loss")}
    ),
    "early stopping by another figure": Case(
        "figure_not_logged",
        {"trainer": ", enable_checkpointing=False, callbacks=[pl.callbacks.EarlyStopping('val/loss')]"},
        {"trainer": ", enable_checkpointing=False, callbacks=[pl.callbacks.EarlyStopping('valid_loss')]"},
    ),
    "targets of 32 bits": Case(
        "target_dtype", {"targets": ".int()"}, {"targets": ".int()", "loss": PLAIN["loss"].replace("y)", "y.long())")}
    ),
    "float targets of a module": Case(
        "target_dtype",
        {"targets": ".float()", "loss": "return self.criterion(self.layer(x), y)"},
        {"targets": ".float()", "loss": "return self.criterion(self.layer(x), y.long())"},
    ),
    "whole targets of a binary loss": Case(
        "target_dtype",
        {"loss": "return F.binary_cross_entropy_with_logits(self.layer(x)[:, 0], y % 2)"},
        {"loss": "return F.binary_cross_entropy_with_logits(self.layer(x)[:, 0], (y % 2).float())"},
    ),
    "one cycle of too few steps": Case(
        "schedule_too_short",
        {"returned": CYCLE.format("total_steps=3")},
        {"returned": CYCLE.format("total_steps=int(self.trainer.estimated_stepping_batches)")},
    ),
    "one cycle of too few epochs": Case(
        "schedule_too_short",
        {"returned": CYCLE.format("epochs=1, steps_per_epoch=3")},
        {"returned": CYCLE.format("total_steps=int(self.trainer.estimated_stepping_batches)")},
    ),
    "a folder that nobody made": Case(
        "folder_missing",
        {"after": 'torch.save(torch.ones(1), "results/deep/ones.pt")'},
        {"after": 'os.makedirs("results/deep", exist_ok=True)\ntorch.save(torch.ones(1), "results/deep/ones.pt")'},
    ),
    "an operation without a deterministic form": Case(
        "deterministic_operation",
        {
            "trainer": ", enable_checkpointing=False, deterministic=True",
            "loss": "return F.cross_entropy(self.layer(x), y) + self.layer(x).put(y, x[:, 0], False).sum()",
        },
        {
            "trainer": ', enable_checkpointing=False, deterministic="warn"',
            "loss": "return F.cross_entropy(self.layer(x), y) + self.layer(x).put(y, x[:, 0], False).sum()",
        },
    ),
}


def script_of(parts: dict[str, str]) -> str:
    source = TEMPLATE
    for name, text in {**PLAIN, **parts}.items():
        source = source.replace("{" + name + "}", text)
    return source


def failure_of(source: str, folder: Path) -> str | None:
    """Run a script as it stands; what it ends with."""
    path = folder / "02_train_v001.py"
    path.write_text(source)
    before = Path.cwd()
    os.chdir(folder)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            exec(compile(source, str(path), "exec"), {"__name__": "__main__"})
    except Exception:  # noqa: BLE001 - what it ends with is what is tested
        return traceback.format_exc()
    finally:
        os.chdir(before)
        torch.use_deterministic_algorithms(False)
    return None


@pytest.mark.parametrize("name", CASES)
def test_a_failure_is_recognised_and_mended(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    source = script_of(case.parts)
    said = failure_of(source, tmp_path)
    assert said is not None, "it does not fail"
    found = [each for each in mended(source, Failure(said, case.live), ()) if each.repair == case.repair]
    assert [each.repair for each in found] == [case.repair], said
    without_os = found[0].source.replace("import os\n", "", 1)
    assert without_os.strip() == script_of(case.after).strip()
    assert failure_of(found[0].source, tmp_path) is None


def test_a_repair_that_the_rules_hold_is_left_out(tmp_path: Path) -> None:
    case = CASES["plateau in a list"]
    source = script_of(case.parts)
    failure = Failure(failure_of(source, tmp_path) or "")
    assert [*mended(source, failure, ())] != []
    assert [*mended(source, failure, {"scheduler"})] == []


@pytest.mark.parametrize(
    ("repair", "said", "source"),
    [
        ("figure_not_logged", "conditioned on metric `val_loss` which is not available. `a`, `b`", "x = 'val_loss'\n"),
        ("removed_trainer_argument", "Trainer.__init__() got an unexpected keyword argument 'gpus'", "f(**settings)\n"),
        ("accelerator_not_there", "No supported gpu backend found!", "import lightning.pytorch as pl\npl.Trainer()\n"),
        ("loader_workers", "DataLoader worker (pid(s) 7) exited unexpectedly", "x = 1\n"),
        ("smaller_batches", "CUDA out of memory", "x = 1\n"),
        ("folder_missing", "No such file or directory: '/data/x.npy' line 1 of", "open('/data/x.npy')\n"),
        ("folder_missing", "No such file or directory: 'data/x.npy' (line 1 of x.py)", "open('data/x.npy')\n"),
        ("schedule_too_short", "Tried to step 4 times. The specified number of total steps is 3", "x = 1\n"),
        ("mixed_packages", "No module named 'pytorch_lightning'", "import pytorch_lightning\n"),
        ("target_dtype", "expected scalar type Long but found Int", "x = 1\n"),
    ],
)
def test_what_cannot_be_followed_is_left(repair: str, said: str, source: str) -> None:
    (known,) = [each for each in repairs() if each.name == repair]
    assert known.recognises(Failure(said))
    with pytest.raises(EditError):
        known.apply(source, Failure(said))


WORKERS = """\
from torch.utils.data import DataLoader
train = DataLoader(data, batch_size=8, num_workers=2, persistent_workers=True)
valid = DataLoader(data, batch_size=8, num_workers=workers, prefetch_factor=4)
"""


def test_workers_and_what_needs_them() -> None:
    said = "RuntimeError: DataLoader worker (pid(s) 812) exited unexpectedly"
    (found,) = mended(WORKERS, Failure(said), ())
    assert found.source.splitlines()[1:] == [
        "train = DataLoader(data, batch_size=8, num_workers=0)",
        "valid = DataLoader(data, batch_size=8, num_workers=0)",
    ]


def test_half_of_a_batch_and_two_for_a_step() -> None:
    source = script_of({})
    said = "RuntimeError: [enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory"
    (found,) = mended(source, Failure(said, {"batch_size": 8, "accumulate": 1}), ())
    assert "train, valid = DataLoader(data, batch_size=4)" in found.source
    assert "accumulate_grad_batches=2" in found.source
    assert found.touches == {"batch_size", "accumulate"}


def test_two_packages_become_one(tmp_path: Path) -> None:
    source = script_of({}).replace("pl.LightningModule", "pytorch.LightningModule")
    source = "import pytorch_lightning as pytorch\n" + source
    said = failure_of(source, tmp_path)
    (found,) = mended(source, Failure(said or ""), ())
    assert found.source.startswith("import lightning.pytorch as pytorch\n")
    assert failure_of(found.source, tmp_path) is None


def test_every_repair_is_tried_here() -> None:
    tried = {case.repair for case in CASES.values()} | {"loader_workers", "smaller_batches", "mixed_packages"}
    assert tried == {each.name for each in repairs()}
