"""Two changes that undo each other do not make the loop go round in a circle."""

from __future__ import annotations

from pathlib import Path

from progtrain.actions import action_named
from progtrain.loop import opened
from progtrain.records import Proposal, Snapshot
from progtrain.step_records import LoopRecord, TrainRecord
from progtrain.steps.exploring import explore
from progtrain.steps.guard import Accepted, Rejected, examine
from progtrain.workspace import Workspace, now

SCRIPT = """
import lightning as L
import torch
from torch.utils.data import DataLoader, TensorDataset

DATASET_ID = "v1"
VERSION = "{version}"
LR = {rate}


class Net(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(2, 1)

    def training_step(self, batch, batch_idx):
        return self.layer(batch[0]).square().mean()

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=LR)


L.seed_everything(42)
data = DataLoader(TensorDataset(torch.ones(8, 2)), batch_size=4)
L.Trainer(max_epochs=1, logger=False, enable_checkpointing=False).fit(Net(), data, data)
"""


def write(workspace: Workspace, version: str, rate: float) -> None:
    workspace.script(version).write_text(SCRIPT.format(version=version, rate=rate))


def trained(workspace: Workspace, version: str, snapshot: Snapshot) -> None:
    when = {"started_at": now(), "finished_at": now(), "script_sha256": workspace.script_sha256(version)}
    workspace.write_record(TrainRecord(**when, attempts=1, seconds=1.0, snapshot=snapshot), "train", version)


def test_a_change_that_leads_back_to_an_earlier_version_is_held_back(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    write(workspace, "v001", 0.01)
    write(workspace, "v002", 0.03)
    loop = LoopRecord(
        dataset_id="v1", task_type="regression", num_train=8, num_valid=8, patched=False, started_at=now()
    )
    workspace.write_record(loop, "loop")
    with opened(tmp_path) as context:
        first, second = (explore(workspace.script(version), context.executor) for version in ("v001", "v002"))
        for version, explored in (("v001", first), ("v002", second)):
            trained(workspace, version, explored.situation.snapshot)
        answers = {name: action_named(name).propose(second.situation) for name in ("lower_learning_rate", "momentum")}
        back, onward = answers["lower_learning_rate"], answers["momentum"]
        assert isinstance(back, Proposal)
        assert back.parameters["new"] == [0.01]
        assert isinstance(onward, Proposal)
        snapshot = second.situation.snapshot
        held = examine(context, "v002", snapshot, "v003", back)
        assert held == Rejected(reason="would train v001 over again")
        assert isinstance(examine(context, "v002", snapshot, "v003", onward), Accepted)
