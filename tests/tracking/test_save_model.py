"""From a real training to a registered model and back, through the executor that the loop uses."""

from __future__ import annotations

import json
import re

import torch

from progtrain.executors import Job
from progtrain.executors.local import LocalExecutor
from progtrain.serving import ServingExample, write_example
from progtrain.step_records import UNREGISTERED, UnregisteredRecord
from progtrain.tracking import Tracker

SCRIPT = """
import json
from pathlib import Path

import lightning as L
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger

DATASET_ID = "v1"
VERSION = "v001"
HOME = Path("Models/Artifacts") / VERSION


class Net(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.net = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.BatchNorm1d(8), torch.nn.Linear(8, 3))

    def forward(self, x):
        return self.net(x)

    def training_step(self, batch, batch_idx):
        x, y = batch
        loss = torch.nn.functional.cross_entropy(self(x), y)
        self.log("train_loss", loss, on_step=False, on_epoch=True)
        return loss

    def validation_step(self, batch, batch_idx):
        x, y = batch
        self.log("val_loss", torch.nn.functional.cross_entropy(self(x), y))

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


def main():
    L.seed_everything(1)
    data = torch.utils.data.TensorDataset(torch.randn(32, 4), torch.randint(3, (32,)))
    loader = torch.utils.data.DataLoader(data, batch_size=8)
    keep = ModelCheckpoint(HOME, filename="best", monitor="val_loss", save_last=True)
    trainer = L.Trainer(max_epochs=1, accelerator="cpu", callbacks=[keep], logger=CSVLogger(HOME, name="logs"))
    trainer.fit(Net(), loader, loader)
    (HOME / "spec.json").write_text(json.dumps({"additional_assets": "not_required"}))


if __name__ == "__main__":
    main()
"""


def test_a_trained_version_becomes_a_registered_model_that_answers_as_its_checkpoint(
    workspace, rules, make, snapshot
) -> None:
    make.author("v001")
    workspace.script("v001").write_text(SCRIPT)
    with LocalExecutor("warm", workspace.state / "supervisor.log") as executor:
        log = workspace.log("v001", "train")
        assert executor.run(Job((workspace.script("v001").name,), workspace.root, log)).succeeded, log.read_text()
        weights = (workspace.artifacts("v001") / "best.ckpt").read_bytes()
        make.records("v001", accuracy=0.5)
        inputs = torch.randn(7, 4)
        expected = trained_net(workspace)(inputs).detach()
        keep_example(workspace, inputs, expected)
        tracker = Tracker(workspace, rules, executor)
        tracker.open("v1")
        left = tracker.drain(240.0)
        assert left == (), workspace.log("v001", "save_model").read_text()
        folder = tracker.fetch_models(["v001"])["v001"]
        tracker.close("FINISHED")
    assert (workspace.artifacts("v001") / "best.ckpt").read_bytes() == weights
    assert not (workspace.artifacts("v001") / "model").exists()
    graph = torch.export.load(folder / "artifacts" / "model.pt2").module()
    torch.testing.assert_close(graph(inputs), expected)
    assert json.loads(workspace.record_path("tracking", "v001").read_text())["model"]["form"] == "pt2"


def test_why_a_model_is_not_registered_is_told(workspace, rules, make) -> None:
    make.author("v001")
    source = SCRIPT.replace("def __init__(self):", "def __init__(self, draw):").replace(
        "Net()", "Net(torch.Generator())"
    )
    answers = "    def predict_step(self, batch, batch_idx):\n        return self(batch[0]).argmax(1)\n\n"
    workspace.script("v001").write_text(
        source.replace("    def configure_optimizers", answers + "    def configure_optimizers")
    )
    with LocalExecutor("warm", workspace.state / "supervisor.log") as executor:
        log = workspace.log("v001", "train")
        assert executor.run(Job((workspace.script("v001").name,), workspace.root, log)).succeeded, log.read_text()
        make.records("v001", accuracy=0.5)
        inputs = torch.randn(7, 4)
        keep_example(workspace, inputs, trained_net(workspace)(inputs).detach(), predicts=True)
        tracker = Tracker(workspace, rules, executor)
        tracker.open("v1")
        (left,) = tracker.drain(240.0)
        tracker.close("FINISHED")
    told = r"given objects that cannot be made again when it is served \(torch.*Generator\)\. Give it plain values"
    assert re.search(f"could not be exported, so it is not registered: .*{told}", left)
    record = workspace.read_record(UnregisteredRecord, UNREGISTERED, "v001")
    assert record is not None
    assert re.search(told, record.reason)


def trained_net(workspace):
    """The net of SCRIPT with the weights of v001's best checkpoint."""
    state = torch.load(workspace.artifacts("v001") / "best.ckpt", weights_only=True)["state_dict"]
    net = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.BatchNorm1d(8), torch.nn.Linear(8, 3))
    net.load_state_dict({name.removeprefix("net."): value for name, value in state.items()})
    return net.eval()


def keep_example(workspace, inputs, scores, predicts=False):
    """As the evaluation of v001 keeps it."""
    example = ServingExample(
        task="classification",
        layout="tensor",
        names=("inputs",),
        varying=((),),
        predicts=predicts,
        classes=(),
        symbols=(),
        answers=tuple({"answer": int(row.argmax()), "scores": row.tolist()} for row in scores),
        threads=1,
        device="cpu",
    )
    write_example(workspace, "v001", example, {"inputs": inputs.numpy()})
