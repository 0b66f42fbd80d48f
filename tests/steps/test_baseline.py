"""Step 0 reads the baseline before it runs it, writes nothing that does not run, and takes counts from the loaders."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
import pytest

from progtrain.errors import CaptureError, ScriptError
from progtrain.loop import opened
from progtrain.step_records import LoopRecord
from progtrain.steps import Context, initialize
from progtrain.steps.baseline import prepare_baseline

SCRIPT = """
import lightning as L
import numpy as np
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

DATASET_ID = "v0"
VERSION = "experiment"
ROOT = "/home/someone/dataset/prepdata/v0"
HOME = f"Models/Artifacts/{VERSION}"


class Net(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.save_hyperparameters()
        self.net = torch.nn.Linear(4, 3)

    def forward(self, x):
        return self.net(x)

    def training_step(self, batch, batch_idx):
        x, y = batch
        return F.cross_entropy(self(x), y)

    def validation_step(self, batch, batch_idx):
        x, y = batch
        self.log("val_loss", F.cross_entropy(self(x), y))

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


def load(split):
    arrays = np.load(f"{ROOT}/{split}.npz")
    return DataLoader(TensorDataset(torch.from_numpy(arrays["x"]), torch.from_numpy(arrays["y"])), batch_size=10)


best = ModelCheckpoint(HOME, "best", monitor="val_loss", save_last=True)
trainer = L.Trainer(max_epochs=1, callbacks=[best], logger=CSVLogger(HOME, "logs"), enable_progress_bar=False)
trainer.fit(Net(), load("train"), load("valid"))
"""


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Context]:
    """Of one workspace for all tests; the last one makes v001."""
    root = tmp_path_factory.mktemp("workspace")
    folder = root / "dataset" / "prepdata" / "v1"
    folder.mkdir(parents=True)
    random = np.random.default_rng(0)
    for split, count in (("train", 30), ("valid", 20)):
        x = random.normal(size=(count, 4)).astype("float32")
        np.savez(folder / f"{split}.npz", x=x, y=random.integers(3, size=count))
    (folder / "stats.json").write_text(json.dumps({"task_type": "classification", "num_samples": {"valid": 20}}))
    (root / "user_defined_rules.json").write_text('{"dataset_config": {"dataset_id": "v1"}}')
    with opened(root) as context:
        yield context


def test_a_patch_that_keeps_a_script_from_running_is_told_of_and_not_written(context: Context) -> None:
    source = (
        SCRIPT.replace("ROOT = ", 'assert DATASET_ID == "v0"\nROOT = ')
        .replace("/home/someone/", "")
        .replace('"dataset/prepdata/v0"', '"dataset" + "/prepdata" + "/v1"')
    )
    context.workspace.baseline_script.write_text(source)
    with pytest.raises(CaptureError, match=r"reaches Trainer\.fit as it is, but not once it is patched: .*Assertion"):
        initialize(context)
    assert context.workspace.baseline_script.read_text() == source
    assert context.workspace.versions() == ()


def test_an_error_of_the_script_itself_has_the_users_line(context: Context) -> None:
    source = SCRIPT.replace('DATASET_ID = "v0"\n', "").replace("VERSION =", "undefined\nVERSION =")
    with pytest.raises(CaptureError, match=r"02_train_baseline\.py raised NameError.*line 10, before"):
        prepare_baseline(context, source, "v1")


def test_what_a_training_must_leave_and_cannot_be_added_is_an_error_before_it(context: Context) -> None:
    source = SCRIPT.replace("trainer.fit(Net()", "for _ in range(1): trainer.fit(Net()")
    with pytest.raises(ScriptError, match=r"would be thrown away\. Line 44: expected a spec\.json .* of its own"):
        prepare_baseline(context, source, "v1")


def test_what_follows_no_constant_is_found(context: Context) -> None:
    elsewhere = "HOME = '/'.join(['Models', 'Artifacts', 'base' + 'line'])"
    prepared = prepare_baseline(context, SCRIPT.replace('HOME = f"Models/Artifacts/{VERSION}"', elsewhere), "v1")
    assert {each.dirpath.rpartition("/")[2] for each in prepared.snapshot.checkpoints if each.dirpath} == {"v001"}


def test_a_script_that_points_elsewhere_is_patched_and_then_run(context: Context) -> None:
    context.workspace.baseline_script.write_text(SCRIPT)
    initialize(context)
    patched = context.workspace.baseline_script.read_text()
    assert 'DATASET_ID = "v1"\nVERSION = "baseline"\nROOT = f"dataset/prepdata/{DATASET_ID}"' in patched
    assert context.workspace.read_script("v001").endswith(patched.partition('VERSION = "baseline"')[2])
    loop = context.workspace.read_record(LoopRecord, "loop")
    assert loop is not None
    assert (loop.num_train, loop.num_valid) == (30, 20)
