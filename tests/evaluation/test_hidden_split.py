"""A version scored on its own test loader, by the yardstick that was locked on the validation set."""

import json
import runpy
import shutil
import sys

import numpy as np
import pytest
import torch

from progtrain.errors import EvaluationError
from progtrain.evaluation.hidden_split import measure_hidden
from progtrain.step_records import LoopRecord
from progtrain.workspace import Workspace, now

from .conftest import write_eval_script

pytestmark = pytest.mark.filterwarnings("ignore")

SCRIPT = """
import lightning as L
import numpy as np
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

VERSION = "v001"


def rows(part):
    arrays = np.load(f"dataset/prepdata/v1/{part}/data.npz")
    return TensorDataset(torch.from_numpy(arrays["x"]), torch.from_numpy(arrays["y"]))


class Data(L.LightningDataModule):
    def setup(self, stage):
        self.stage = stage  # EARLY

    def train_dataloader(self):
        return DataLoader(rows("train"), batch_size=16)

    def val_dataloader(self):
        return DataLoader(rows("valid"), batch_size=16)

    def test_dataloader(self):
        assert self.stage == "test"
        return [DataLoader(rows("test"), batch_size=16, shuffle=True)]


class Model(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.net = torch.nn.Linear(20, 3)

    def forward(self, x):
        return self.net(x)

    def training_step(self, batch, batch_idx):
        return F.cross_entropy(self(batch[0]), batch[1])

    def validation_step(self, batch, batch_idx):
        self.log("val_loss", F.cross_entropy(self(batch[0]), batch[1]))

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


best = ModelCheckpoint(dirpath=f"Models/Artifacts/{VERSION}", filename="best", monitor="val_loss")
quiet = {"enable_progress_bar": False, "enable_model_summary": False, "logger": False}
L.Trainer(max_epochs=1, accelerator="cpu", callbacks=[best], **quiet).fit(Model(), datamodule=Data())
"""


def run(root, script, *arguments):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        patch.setattr(sys, "argv", [script, *arguments])
        patch.setitem(sys.modules, "__main__", sys.modules["__main__"])
        runpy.run_path(str(root / script), run_name="__main__")


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # a process forked after torch used several would hang
    yield build(tmp_path_factory.mktemp("hidden"))
    torch.set_num_threads(threads)


def build(root):
    prepdata = root / "dataset" / "prepdata" / "v1"
    random = np.random.default_rng(0)
    for part, count in (("train", 64), ("valid", 32), ("test", 24)):
        (prepdata / part).mkdir(parents=True)
        x = random.normal(size=(count, 20)).astype(np.float32)
        np.savez(prepdata / part / "data.npz", x=x, y=x[:, :3].argmax(axis=1))
    (prepdata / "stats.json").write_text('{"task_type": "classification", "num_train": 64, "num_valid": 32}')
    (root / "user_defined_rules.json").write_text(json.dumps({"eval_config": {"metrics": ["accuracy"]}}))
    workspace = Workspace(root)
    loop = LoopRecord(
        dataset_id="v1", task_type="classification", num_train=64, num_valid=32, patched=False, started_at=now()
    )
    workspace.write_record(loop, "loop")
    workspace.script("v001").write_text(SCRIPT)
    run(root, "02_train_v001.py")
    write_eval_script(workspace)
    run(root, "03_eval.py", "v001")
    return root


@pytest.fixture
def workspace(built, tmp_path):
    return Workspace(shutil.copytree(built, tmp_path / "copy"))


def change(workspace, old, new):
    source = workspace.read_script("v001")
    assert old in source
    workspace.script("v001").write_text(source.replace(old, new))


def test_the_whole_test_split_is_scored_by_the_locked_metrics(workspace):
    measured = measure_hidden(workspace, "v001")
    weights = torch.load(workspace.artifacts("v001") / "best.ckpt", weights_only=True)["state_dict"]
    with np.load(workspace.prepdata("v1") / "test" / "data.npz") as arrays:
        x, y = torch.from_numpy(arrays["x"]), torch.from_numpy(arrays["y"])
    scores = x @ weights["net.weight"].T + weights["net.bias"]
    values = {metric.name: metric.value for metric in measured.score.metrics}
    assert set(values) == {"accuracy", "loss"}
    assert values["accuracy"] == pytest.approx((scores.argmax(1) == y).float().mean().item())
    assert values["loss"] == pytest.approx(torch.nn.functional.cross_entropy(scores, y).item(), rel=1e-5)
    assert measured.score.num_samples == 24
    assert measured.seen_before == ()
    assert measure_hidden(workspace, "v001").targets_sha256 == measured.targets_sha256


def test_a_script_that_opens_the_split_before_training_is_noted(workspace):
    change(workspace, "self.stage = stage  # EARLY", "self.stage, self.seen = stage, rows('test')")
    assert measure_hidden(workspace, "v001").seen_before == ("test/data.npz",)


def test_a_script_without_a_test_loader_is_told_so_in_one_line(workspace):
    change(workspace, "    def test_dataloader", "    def other_dataloader")
    with pytest.raises(EvaluationError, match=r"^test/ is there, but the script has no test_dataloader; .*$"):
        measure_hidden(workspace, "v001")


def test_a_test_loader_of_the_module_itself_serves_as_well(workspace):
    change(workspace, "    def test_dataloader", "    def other_dataloader")
    loader = "    def test_dataloader(self):\n        return DataLoader(rows('test'), batch_size=16)\n\n    def forward"
    change(workspace, "    def forward", loader)
    assert measure_hidden(workspace, "v001").score.num_samples == 24
