"""A change that is seen to fail in training is held back, with the error that it would end with."""

from __future__ import annotations

from pathlib import Path

import pytest

from progtrain.actions import action_named
from progtrain.loop import opened
from progtrain.records import Proposal
from progtrain.step_records import LoopRecord
from progtrain.steps.exploring import explore
from progtrain.steps.guard import Accepted, Rejected, examine
from progtrain.workspace import Workspace, now

SCRIPT = """
import lightning as L
import torch
from torch.utils.data import DataLoader, TensorDataset

DATASET_ID = "v1"
VERSION = "v001"
LR = 0.01
EPOCHS = 2


class Net(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(2, 1)

    def training_step(self, batch, batch_idx):
        {check}
        return self.layer(batch[0]).square().mean()

    def configure_optimizers(self):
        optimizer = torch.optim.SGD(self.parameters(), lr=LR)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: {schedule})
        return [optimizer], [{{"scheduler": schedule, "interval": "step"}}]


L.seed_everything(42)
data = DataLoader(TensorDataset(torch.ones(8, 2)), batch_size=4)
L.Trainer(max_epochs=EPOCHS, logger=False, enable_checkpointing=False).fit(Net(), data, data)
"""


@pytest.mark.parametrize(
    ("check", "schedule", "action", "reason"),
    [
        ("", "1.0", "more_epochs", None),
        ("", "[1, 1, 1, 0.5, 0.1][step]", "raise_learning_rate", None),
        (
            "",
            "[1, 1, 1, 0.5, 0.1][step]",
            "more_epochs",
            "would fail in training: IndexError: list index out of range (after 4 of 6 steps)",
        ),
        (
            "assert LR < 0.02, f'{LR} is too much'",
            "1.0",
            "raise_learning_rate",
            "its first training step would fail: AssertionError: 0.03 is too much",
        ),
        ("assert False", "1.0", "more_epochs", None),  # the parent is trained all the same: it needs a real fit
    ],
)
def test_what_fails_where_the_parent_did_not_is_held_back(
    tmp_path: Path, check: str, schedule: str, action: str, reason: str | None
) -> None:
    workspace = Workspace(tmp_path)
    workspace.script("v001").write_text(SCRIPT.format(check=check, schedule=schedule))
    loop = LoopRecord(
        dataset_id="v1", task_type="regression", num_train=8, num_valid=8, patched=False, started_at=now()
    )
    workspace.write_record(loop, "loop")
    with opened(tmp_path) as context:
        situation = explore(workspace.script("v001"), context.executor).situation
        proposal = action_named(action).propose(situation)
        assert isinstance(proposal, Proposal), proposal
        verdict = examine(context, "v001", situation.snapshot, "v002", proposal)
    assert isinstance(verdict, Accepted) if reason is None else verdict == Rejected(reason=reason)
