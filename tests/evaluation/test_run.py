import json
import os
import runpy
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch.nn import functional

from progtrain.evaluation.yardstick.protocol import read_protocol
from progtrain.predictions import read_predictions
from progtrain.records import EvalScore
from progtrain.step_records import LoopRecord
from progtrain.workspace import Workspace, now

from .conftest import write_eval_script

#: What Lightning and torch warn of in tiny trainings is not what is tested.
pytestmark = pytest.mark.filterwarnings("ignore")

CLASSIFIER = """
from pathlib import Path

import lightning as L
import numpy as np
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

DATASET_ID = "v1"
VERSION = "v001"
ARTIFACTS = Path("Models/Artifacts") / VERSION


class Data(L.LightningDataModule):
    def setup(self, stage):
        arrays = np.load(f"dataset/prepdata/{DATASET_ID}/data.npz")
        self.parts = [
            TensorDataset(torch.from_numpy(arrays[f"{part}_x"]), torch.from_numpy(arrays[f"{part}_y"]))
            for part in ("train", "valid")
        ]

    def train_dataloader(self):
        return DataLoader(self.parts[0], batch_size=16, shuffle=True)

    def val_dataloader(self):
        return DataLoader(self.parts[1], batch_size=16, shuffle=True, drop_last=True)


class Classifier(L.LightningModule):
    def __init__(self, width=8):
        super().__init__()
        self.save_hyperparameters()
        self.net = nn.Sequential(nn.Linear(20, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Linear(width, 3))

    def forward(self, x):
        return self.net(x)

    def training_step(self, batch, batch_idx):
        x, y = batch
        return F.cross_entropy(self(x), y, label_smoothing=0.1)

    def validation_step(self, batch, batch_idx):
        x, y = batch
        self.log("val_loss", F.cross_entropy(self(x), y))

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


if __name__ == "__main__":
    L.seed_everything(42, verbose=False)
    checkpoint = ModelCheckpoint(dirpath=ARTIFACTS, filename="best", monitor="val_loss", save_last=True)
    trainer = L.Trainer(
        max_epochs=1,
        accelerator="cpu",
        logger=False,
        callbacks=[checkpoint],
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(Classifier(), datamodule=Data())
"""

REGRESSION = """
import argparse

import lightning.pytorch as pl
import numpy as np
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from torch.utils.data import DataLoader

DATASET_ID = "v1"
VERSION = "v001"


class Rows(torch.utils.data.Dataset):
    def __init__(self, part):
        arrays = np.load(f"dataset/prepdata/{DATASET_ID}/data.npz")
        self.x, self.y = arrays[f"{part}_x"], arrays[f"{part}_y"].astype(np.float32)

    def __len__(self):
        return len(self.y)

    def __getitem__(self, index):
        return {"features": torch.from_numpy(self.x[index]), "target": torch.tensor(self.y[index])}


class Model(pl.LightningModule):
    def __init__(self, options):
        super().__init__()
        self.save_hyperparameters(options)
        self.layer = torch.nn.Linear(20, 1)

    def forward(self, features):
        return self.layer(features)

    def training_step(self, batch, batch_idx):
        return torch.nn.MSELoss()(self(batch["features"]).squeeze(-1), batch["target"])

    def validation_step(self, batch, batch_idx):
        self.log("val_loss", torch.nn.functional.mse_loss(self(batch["features"]).squeeze(-1), batch["target"]))

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=self.hparams.lr)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float, default=0.01)
    options = parser.parse_args()
    train, valid = DataLoader(Rows("train"), batch_size=32), DataLoader(Rows("valid"), batch_size=32)
    best = ModelCheckpoint(dirpath=f"Models/Artifacts/{VERSION}", filename="best", monitor="val_loss")
    quiet = {"enable_progress_bar": False, "enable_model_summary": False, "logger": False}
    trainer = pl.Trainer(max_epochs=1, accelerator="cpu", callbacks=[best], **quiet)
    trainer.fit(Model(options), train, valid)


main()
"""


def build(root, source, task_type, evaluation):
    """A workspace whose v001 is trained, and whose 03_eval.py is written."""
    data = root / "dataset" / "prepdata" / "v1"
    data.mkdir(parents=True)
    random = np.random.default_rng(0)
    x = random.normal(size=(117, 20)).astype(np.float32)
    y = x[:, :3].argmax(axis=1)
    np.savez(data / "data.npz", train_x=x[:80], train_y=y[:80], valid_x=x[80:], valid_y=y[80:])
    (root / "user_defined_rules.json").write_text(json.dumps({"eval_config": evaluation}))
    workspace = Workspace(root)
    loop = LoopRecord(dataset_id="v1", task_type=task_type, num_train=80, num_valid=37, patched=False, started_at=now())
    workspace.write_record(loop, "loop")
    workspace.script("v001").write_text(source)
    run(root, "02_train_v001.py")
    write_eval_script(workspace)
    return root


def run(root, script, *arguments):
    """What `python SCRIPT ARGUMENTS` in `root` does, without the seconds of its imports."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        patch.setattr(sys, "argv", [script, *arguments])
        patch.setitem(sys.modules, "__main__", sys.modules["__main__"])
        runpy.run_path(str(root / script), run_name="__main__")


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    root = tmp_path_factory.mktemp("classifier")
    return build(root, CLASSIFIER, "classification", {"metrics": ["accuracy", "f1"], "infer_samples": 4})


@pytest.fixture
def root(built, tmp_path):
    shutil.copytree(built, tmp_path, dirs_exist_ok=True)
    return tmp_path


def read(path):
    return json.loads(path.read_text())


def score_of(root, version="v001"):
    return read(root / "Models" / "Artifacts" / version / "eval_score.json")


def value(score, name):
    return next(metric["value"] for metric in score["metrics"] if metric["name"] == name)


def add_version(root):
    """A v002 that trains with another loss and other weights."""
    source = CLASSIFIER.replace('VERSION = "v001"', 'VERSION = "v002"').replace(", label_smoothing=0.1", "")
    (root / "02_train_v002.py").write_text(source.replace("lr=0.1", "lr=0.5"))
    run(root, "02_train_v002.py")


def test_a_version_is_measured_on_the_whole_validation_set(root):
    run(root, "03_eval.py", "v001")
    score = score_of(root)
    assert list(score) == ["dataset_id", "created_at", "num_samples", "metrics", "latency_ms"]
    assert (score["dataset_id"], score["num_samples"]) == ("v1", 37)
    assert [(m["name"], m["higher_is_better"]) for m in score["metrics"]] == [
        ("accuracy", True),
        ("f1", True),
        ("loss", False),
    ]
    assert score["latency_ms"] > 0

    arrays = np.load(root / "dataset" / "prepdata" / "v1" / "data.npz")
    weights = torch.load(root / "Models" / "Artifacts" / "v001" / "best.ckpt", weights_only=True)["state_dict"]
    net = runpy.run_path(str(root / "02_train_v001.py"))["Classifier"]().eval()
    net.load_state_dict(weights)
    outputs, targets = net(torch.from_numpy(arrays["valid_x"])).detach(), torch.from_numpy(arrays["valid_y"])
    assert value(score, "accuracy") == pytest.approx((outputs.argmax(1) == targets).float().mean().item())
    expected_loss = functional.cross_entropy(outputs, targets).item()  # that of validation_step, which does not smooth
    assert value(score, "loss") == pytest.approx(expected_loss, rel=1e-5)

    predictions = read_predictions(root / "Models" / "Artifacts" / "v001" / "predictions.npz")
    np.testing.assert_allclose(predictions.outputs, outputs.numpy(), rtol=1e-4, atol=1e-5)
    assert predictions.targets.tolist() == targets.tolist()
    assert predictions.losses.mean() == pytest.approx(expected_loss, rel=1e-5)


def test_dead_units_of_the_trained_model_are_counted(root):
    path = root / "Models" / "Artifacts" / "v001" / "best.ckpt"
    for dead, shift in (((), 0.0), (range(8), -1e6)):
        checkpoint = torch.load(path, weights_only=True)
        checkpoint["state_dict"]["net.1.bias"][list(dead)] += shift
        torch.save(checkpoint, path)
        run(root, "03_eval.py", "v001")
        shares = read(root / ".progtrain" / "v001" / "activations.json")["dead_shares"]
        assert len(shares) == 1
        assert (shares[0] == 1.0) == bool(dead)


def test_every_version_by_the_same_yardstick_and_samples(root):
    add_version(root)
    run(root, "03_eval.py", "v001", "v002")
    chosen = []
    for version in ("v001", "v002"):
        samples = sorted((root / "Models" / "Artifacts" / version / "infer_samples").iterdir())
        assert [sample.name for sample in samples] == ["0001", "0002", "0003", "0004"]
        metas = [read(sample / "meta.json") for sample in samples]
        assert {meta["version_id"] for meta in metas} == {version}
        chosen.append([meta["sample_id"] for meta in metas])
        inputs = [read(sample / "input.json") for sample in samples]
    assert chosen[0] == chosen[1]
    arrays = np.load(root / "dataset" / "prepdata" / "v1" / "data.npz")
    np.testing.assert_allclose(inputs, arrays["valid_x"][[int(name) for name in chosen[0]]], rtol=1e-6)
    predictions = read_predictions(root / "Models" / "Artifacts" / "v002" / "predictions.npz")
    plain = functional.cross_entropy(torch.from_numpy(predictions.outputs), torch.from_numpy(predictions.targets))
    assert value(score_of(root, "v002"), "loss") == pytest.approx(plain.item(), rel=1e-5)


def test_the_protocol_is_locked_with_the_first_score_and_held_after(root, capsys):
    assert read_protocol(Workspace(root)) is None
    run(root, "03_eval.py", "v001")
    assert read_protocol(Workspace(root)).num_samples == 37
    before = score_of(root)
    script = root / "03_eval.py"
    script.write_text(script.read_text() + "# a change\n")
    with pytest.raises(SystemExit, match=r"03_eval\.py: expected"):
        run(root, "03_eval.py", "v001")
    assert score_of(root) == before


def test_a_failed_evaluation_leaves_nothing(root):
    (root / "Models" / "Artifacts" / "v001" / "best.ckpt").unlink()
    with pytest.raises(SystemExit, match="Train the version first"):
        run(root, "03_eval.py", "v001")
    assert not list((root / "Models" / "Artifacts" / "v001").glob("eval_score*"))
    assert read_protocol(Workspace(root)) is None


def test_evaluating_does_not_touch_what_training_left(root):
    folder = root / "Models" / "Artifacts" / "v001"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    run(root, "03_eval.py", "v001")
    assert {name: (folder / name).read_bytes() for name in before} == before
    added = {path.name for path in folder.iterdir()} - set(before)
    assert added == {"eval_score.json", "predictions.npz", "infer_samples"}


def test_a_metric_that_fails_is_null_and_says_why(root, capsys):
    (root / "metrics.py").write_text("def f1(predictions, targets):\n    raise ValueError('no such thing')\n")
    run(root, "03_eval.py", "v001")
    assert value(score_of(root), "f1") is None
    assert value(score_of(root), "accuracy") is not None
    assert "f1 is null: ValueError: no such thing" in capsys.readouterr().out


def test_a_diverged_version_has_null_scores(root):
    path = root / "Models" / "Artifacts" / "v001" / "best.ckpt"
    checkpoint = torch.load(path, weights_only=True)
    checkpoint["state_dict"]["net.3.weight"].fill_(float("nan"))
    torch.save(checkpoint, path)
    run(root, "03_eval.py", "v001")
    assert value(score_of(root), "loss") is None


def test_sample_ids_come_from_the_listing(root):
    folder = root / "dataset" / "prepdata" / "v1" / "valid"
    folder.mkdir()
    lines = [json.dumps({"sample_id": f"row-{index}", "input": index}) for index in range(37)]
    (folder / "valid.jsonl").write_text("\n".join(lines))
    run(root, "03_eval.py", "v001")
    predictions = read_predictions(root / "Models" / "Artifacts" / "v001" / "predictions.npz")
    assert predictions.sample_ids.tolist() == [f"row-{index}" for index in range(37)]
    (folder / "valid.jsonl").write_text("\n".join(lines[:-1]))
    with pytest.raises(SystemExit, match=r"dataset/prepdata/v1/valid/valid\.jsonl: expected"):
        run(root, "03_eval.py", "v001")
    (root / ".progtrain" / "data_files.json").unlink()
    with pytest.raises(SystemExit, match="got 36 lines for 37 samples"):
        run(root, "03_eval.py", "v001")


def test_an_exported_model_scores_like_its_checkpoint(root, tmp_path):
    run(root, "03_eval.py", "v001")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        model = runpy.run_path("02_train_v001.py")["Classifier"]()
    model.load_state_dict(torch.load(root / "Models/Artifacts/v001/best.ckpt", weights_only=True)["state_dict"])
    batch = {0: torch.export.Dim.AUTO}
    exported = torch.export.export(model.eval(), (torch.randn(4, 20),), dynamic_shapes=(batch,))
    (root / "registered").mkdir()
    torch.export.save(exported, root / "registered" / "model.pt2")
    own = (root / "Models/Artifacts/v001/eval_score.json").read_bytes()
    run(root, "03_eval.py", "v001", "--model", "registered", "--output", "again.json")
    again = EvalScore.model_validate_json((root / "again.json").read_bytes())
    first = EvalScore.model_validate_json(own)
    for metric, same in zip(first.metrics, again.metrics, strict=True):
        assert same.value == pytest.approx(metric.value, rel=1e-5)
    assert (root / "Models/Artifacts/v001/eval_score.json").read_bytes() == own


def test_a_version_that_is_not_there_is_named(root):
    with pytest.raises(SystemExit, match=r"got 'v007'\. Name one of: v001"):
        run(root, "03_eval.py", "v007")


def test_regression_without_a_data_module_in_a_process_of_its_own(tmp_path):
    root = build(tmp_path, REGRESSION, "tabular_regression", {"metrics": ["mae", "r2"], "primary_metric": "r2"})
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    result = subprocess.run(
        [sys.executable, "03_eval.py", "v001"], cwd=root, env=environment, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    assert "v001: r2" in result.stdout
    predictions = read_predictions(root / "Models" / "Artifacts" / "v001" / "predictions.npz")
    assert predictions.outputs.shape == predictions.targets.shape == (37,)
    error = predictions.outputs - predictions.targets
    score = score_of(root)
    assert value(score, "mae") == pytest.approx(np.abs(error).mean(), rel=1e-5)
    assert value(score, "loss") == pytest.approx((error**2).mean(), rel=1e-5)
    assert len(list((root / "Models" / "Artifacts" / "v001" / "infer_samples").iterdir())) == 10
