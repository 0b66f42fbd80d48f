"""A scheduler's length is written in terms of the Trainer's."""

import pytest

from progtrain.records import Proposal, Refusal, SchedulerSettings

SCRIPT = """\
import torch
from torch.optim import lr_scheduler

class Net:
    def configure_optimizers(self):
        optimizer = torch.optim.SGD(self.parameters(), lr=LR)
        return [optimizer], [lr_scheduler.{}]  # found by hand
"""
EPOCHS, STEPS = "self.trainer.max_epochs", "int(self.trainer.estimated_stepping_batches)"
TABLE = {
    "T_max": (
        "CosineAnnealingLR(optimizer, T_max=100)",
        f"CosineAnnealingLR(optimizer, T_max={EPOCHS})",
        ("CosineAnnealingLR", "T_max", "epoch"),
    ),
    "T_max by position, in steps": (
        "CosineAnnealingLR(optimizer, 20)",
        f"CosineAnnealingLR(optimizer, {STEPS})",
        ("CosineAnnealingLR", "T_max", "step"),
    ),
    "total_steps": (
        "OneCycleLR(optimizer, LR, total_steps=9_000)",
        f"OneCycleLR(optimizer, LR, total_steps={STEPS})",
        ("OneCycleLR", "total_steps", "step"),
    ),
    "epochs": (
        "OneCycleLR(optimizer, LR, epochs=5, steps_per_epoch=50)",
        f"OneCycleLR(optimizer, LR, epochs={EPOCHS}, steps_per_epoch=50)",
        ("OneCycleLR", "epochs", "epoch"),
    ),
    "step_size": (
        "StepLR(optimizer, step_size=30)",
        f"StepLR(optimizer, step_size=max(1, {EPOCHS} // 3))",
        ("StepLR", "step_size", "epoch"),
    ),
    "milestones": (
        "MultiStepLR(optimizer, [100, 150], gamma=0.1)",
        f"MultiStepLR(optimizer, [{EPOCHS} // 2, {EPOCHS} * 3 // 4], gamma=0.1)",
        ("MultiStepLR", "milestones", "epoch"),
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_becomes(becomes, name):
    before, after, (scheduler, argument, interval) = TABLE[name]
    parameters = {"scheduler": scheduler, "argument": argument, "interval": interval}
    becomes("match_schedule_length", SCRIPT.format(before), SCRIPT.format(after), **parameters)


COSINE = SCRIPT.format("CosineAnnealingLR(optimizer, 100)")


@pytest.mark.parametrize(
    ("source", "match"),
    [
        (SCRIPT.format("StepLR(optimizer, 30)"), "found 0"),
        (COSINE + "lr_scheduler.CosineAnnealingLR(o, 3)\n", "found 2"),
        (COSINE.replace("configure_optimizers", "build"), "made in configure_optimizers"),
        (SCRIPT.format("CosineAnnealingLR(optimizer, **settings)"), "spelled out"),
    ],
)
def test_cannot(cannot, source, match):
    cannot("match_schedule_length", source, match, scheduler="CosineAnnealingLR", argument="T_max", interval="epoch")


def scheduled(t_max: int, interval: str = "epoch") -> dict[str, object]:
    scheduler = SchedulerSettings(type="CosineAnnealingLR", arguments={"T_max": t_max}, interval=interval)
    return {"schedulers": (scheduler,)}


def test_binds_to_what_is_live(proposed):
    proposal = proposed("match_schedule_length", COSINE, "schedule-length", **scheduled(20, "step"))

    assert isinstance(proposal, Proposal)
    assert proposal.parameters == {"scheduler": "CosineAnnealingLR", "argument": "T_max", "interval": "step"}
    assert "1000 steps" in proposal.change


@pytest.mark.parametrize(
    ("fields", "locks", "reason"),
    [
        (scheduled(20), {}, "no scheduler is made for another length"),
        ({}, {}, "no scheduler is made for another length"),
        (scheduled(100), {"scheduler": "cosine"}, "the rules hold scheduler"),
    ],
)
def test_refuses(proposed, fields, locks, reason):
    refusal = proposed("match_schedule_length", COSINE, "schedule-length", locks=locks, **fields)

    assert isinstance(refusal, Refusal)
    assert reason in refusal.reason
