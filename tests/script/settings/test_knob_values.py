from pathlib import Path

import pytest

from progtrain.knobs import FAMILY
from progtrain.records import Snapshot
from progtrain.script.capturing.capture import capture_fit
from progtrain.script.settings.knob_values import differing, knob_values

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

SCRIPT = """
import lightning as L
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

LR = 0.01
EPOCHS = 4
WIDTH = 16


class Net(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(6, WIDTH),
            nn.ReLU(),
            nn.Linear(WIDTH, WIDTH),
            nn.ReLU(),
            nn.Linear(WIDTH, 3),
        )

    def training_step(self, batch, index):
        inputs, targets = batch
        return F.cross_entropy(self.net(inputs), targets)

    def configure_optimizers(self):
        optimizer = torch.optim.SGD(self.parameters(), lr=LR)
        return optimizer


inputs = torch.randn(64, 6, generator=torch.Generator().manual_seed(0))
loader = DataLoader(TensorDataset(inputs, inputs[:, :3].argmax(1)), batch_size=8, shuffle=True)
trainer = L.Trainer(max_epochs=EPOCHS, logger=False, enable_checkpointing=False, accelerator="cpu")
trainer.fit(Net(), loader)
"""
ONE_CYCLE = """scheduler = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, 3 * LR, total_steps=self.trainer.estimated_stepping_batches
        )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}"""
COSINE = "return [optimizer], [torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, EPOCHS)]"
WARM_UP = """scheduler = torch.optim.lr_scheduler.SequentialLR(
            optimizer,
            [
                torch.optim.lr_scheduler.LinearLR(optimizer, 0.1, total_iters=1),
                torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, EPOCHS - 1),
            ],
            milestones=[1],
        )
        return [optimizer], [scheduler]"""


def snapshot(folder: Path, *edits: tuple[str, str]) -> Snapshot:
    source = SCRIPT
    for old, new in edits:
        assert old in source
        source = source.replace(old, new)
    script = folder / "02_train_v001.py"
    script.write_text(source)
    return capture_fit(script).snapshot


CHANGES = {
    "dropout": ([("nn.Linear(WIDTH, 3)", "nn.Dropout(0.2), nn.Linear(WIDTH, 3)")], {"dropout"}),
    "batch norm": (
        [("nn.Linear(WIDTH, WIDTH),", "nn.Linear(WIDTH, WIDTH), nn.BatchNorm1d(WIDTH),")],
        {"normalization"},
    ),
    "layer norm": ([("nn.Linear(WIDTH, WIDTH),", "nn.Linear(WIDTH, WIDTH), nn.LayerNorm(WIDTH),")], {"normalization"}),
    "width": ([("WIDTH = 16", "WIDTH = 32")], {"width"}),
    "depth": ([("nn.Linear(WIDTH, 3)", "nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, 3)")], {"layers", "width"}),
    "activation": ([("nn.ReLU()", "nn.GELU()")], {"activation"}),
    "activation's argument": ([("nn.ReLU()", "nn.LeakyReLU(0.2)")], {"activation"}),
    "rate": ([("LR = 0.01", "LR = 0.03")], {"lr"}),
    "epochs": ([("EPOCHS = 4", "EPOCHS = 5")], {"epochs"}),
    "batch size": ([("batch_size=8", "batch_size=4")], {"batch_size"}),
    "shuffling": ([("shuffle=True", "shuffle=False")], {"shuffle"}),
    "data": ([("randn(64", "randn(60")], {"train_data"}),
    "AdamW": (
        [("optim.SGD(", "optim.AdamW(")],
        {"optimizer", "momentum", "nesterov", "betas", "optimizer_options", "weight_decay"},
    ),
    "momentum": ([("lr=LR", "lr=LR, momentum=0.9, nesterov=True")], {"momentum", "nesterov"}),
    "weight decay": ([("lr=LR", "lr=LR, weight_decay=1e-4")], {"weight_decay"}),
    "scheduler": ([("return optimizer", COSINE)], {"scheduler"}),
    "label smoothing": ([("targets)\n", "targets, label_smoothing=0.1)\n")], {"label_smoothing"}),
    "loss": (
        [("F.cross_entropy(self.net(inputs), targets)", "F.nll_loss(self.net(inputs), targets)")],
        {"loss", "label_smoothing"},
    ),
    "class weights": ([("targets)\n", "targets, weight=torch.ones(3))\n")], {"loss", "computation"}),
    "forward pass": ([("self.net(inputs)", "self.net(inputs).roll(1, 1)")], {"computation"}),
    "before the forward pass": ([("self.net(inputs)", "self.net(inputs.roll(1, 1))")], {"augmentation"}),
    "clip": ([("logger=False", "logger=False, gradient_clip_val=1.0")], {"gradient_clip"}),
    "accumulation": ([("logger=False", "logger=False, accumulate_grad_batches=2")], {"accumulate"}),
    "early stopping": (
        [("logger=False", "logger=False, callbacks=[L.pytorch.callbacks.EarlyStopping('loss')]")],
        {"early_stopping"},
    ),
    "averaging": (
        [("logger=False", "logger=False, callbacks=[L.pytorch.callbacks.StochasticWeightAveraging(1e-2)]")],
        {"averaging"},
    ),
    "seed": ([("LR = 0.01", "LR = 0.01\ntorch.manual_seed(3)")], {"seed"}),
    "nothing": ([], set()),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_shows_in_its_own_knobs_only(tmp_path: Path, change: str) -> None:
    edits, knobs = CHANGES[change]
    assert differing(snapshot(tmp_path), snapshot(tmp_path, *edits)) == knobs


@pytest.mark.parametrize("schedule", [ONE_CYCLE, COSINE, WARM_UP])
@pytest.mark.parametrize(
    ("edit", "knob"),
    [
        (("LR = 0.01", "LR = 0.03"), "lr"),
        (("batch_size=8", "batch_size=4"), "batch_size"),
    ],
)
def test_a_schedule_follows_rate_and_length(tmp_path: Path, schedule: str, edit: tuple[str, str], knob: str) -> None:
    scheduled = ("return optimizer", schedule)
    assert differing(snapshot(tmp_path, scheduled), snapshot(tmp_path, scheduled, edit)) == {knob}


@pytest.mark.parametrize("schedule", [ONE_CYCLE, COSINE])
def test_a_schedule_over_more_epochs_is_the_same_schedule(tmp_path: Path, schedule: str) -> None:
    scheduled = ("return optimizer", schedule)
    longer = snapshot(tmp_path, scheduled, ("EPOCHS = 4", "EPOCHS = 8"))
    assert differing(snapshot(tmp_path, scheduled), longer) == {"epochs"}


@pytest.mark.parametrize(
    "edit",
    [("3 * LR", "4 * LR"), ("stepping_batches", "stepping_batches * 2"), ("total_steps", "pct_start=0.2, total_steps")],
)
def test_another_schedule_is_another(tmp_path: Path, edit: tuple[str, str]) -> None:
    scheduled = ("return optimizer", ONE_CYCLE)
    assert differing(snapshot(tmp_path, scheduled), snapshot(tmp_path, scheduled, edit)) == {"scheduler"}


def test_values_are_scalars_for_one_group_and_lists_for_several(tmp_path: Path) -> None:
    one = knob_values(snapshot(tmp_path))
    assert (one["lr"], one["optimizer"], one["momentum"], one["parameter_groups"]) == (0.01, "SGD", 0, 1)
    assert (one["epochs"], one["batch_size"], one["shuffle"], one["sampler"]) == (4, 8, True, None)
    assert one["activation"] == ["relu", "relu"]
    assert one["width"] == [[6, 16], [16, 16], [16, 3]]
    assert one["dropout"] == one["normalization"] == one["computation"] == []
    groups = (
        "self.parameters(), lr=LR",
        "[{'params': self.net[0].parameters(), 'lr': LR / 10}, {'params': self.net[2:].parameters()}], lr=LR",
    )
    two = knob_values(snapshot(tmp_path, groups))
    assert (two["lr"], two["parameter_groups"]) == ([0.001, 0.01], 2)


def test_every_name_is_a_canonical_knob(tmp_path: Path) -> None:
    assert set(knob_values(snapshot(tmp_path))) == set(FAMILY)


FORWARD = """    def forward(self, inputs):
        return self.net(inputs * 2)

    def training_step"""
OWN_FORWARD = [("    def training_step", FORWARD), ("self.net(inputs)", "self(inputs)")]
PART_CALLED = [("    def training_step", FORWARD)]


@pytest.mark.parametrize(
    ("before", "edit", "knob"),
    [
        (OWN_FORWARD, ("self(inputs)", "self(inputs + torch.randn_like(inputs))"), "augmentation"),
        (OWN_FORWARD, ("self(inputs)", "self.forward(inputs.roll(1, 1))"), "augmentation"),
        (OWN_FORWARD, ("inputs * 2", "inputs.roll(1, 1) * 2"), "computation"),
        (OWN_FORWARD, ("targets)\n", "targets) * 2\n"), "computation"),
        (PART_CALLED, ("self.net(inputs)", "self.net(inputs.roll(1, 1))"), "augmentation"),
    ],
)
def test_what_comes_before_the_forward_pass_is_augmentation(
    tmp_path: Path, before: list[tuple[str, str]], edit: tuple[str, str], knob: str
) -> None:
    first = snapshot(tmp_path, *before)
    assert first.notes == ()
    assert differing(first, snapshot(tmp_path, *before, edit)) == {knob}


def drawn(*lines: str) -> tuple[str, str]:
    """An edit that runs `lines` on the first layer once it is made."""
    return "    def training_step", "".join(f"        {line}\n" for line in lines) + "\n    def training_step"


@pytest.mark.parametrize(
    ("lines", "ways"),
    [
        (["nn.init.kaiming_normal_(self.net[2].weight, nonlinearity='relu')"], ["weights kaiming"]),
        (["nn.init.xavier_uniform_(self.net[2].weight)"], ["weights xavier"]),
        (["nn.init.zeros_(self.net[0].bias)", "nn.init.zeros_(self.net[4].bias)"], ["biases zero"]),
        (["nn.init.constant_(self.net[4].bias, 7.2)"], ["biases 7e+00"]),
        (["nn.init.zeros_(self.net[4].weight)"], ["weights zero"]),
        (["nn.init.normal_(self.net[2].weight, std=4)"], ["weights 2^5 times torch's"]),
    ],
)
def test_initialization_is_told_by_its_scheme(tmp_path: Path, lines: list[str], ways: list[str]) -> None:
    plain, other = snapshot(tmp_path), snapshot(tmp_path, drawn(*lines))
    assert plain.initialization == ()
    assert knob_values(other)["initialization"] == ways
    assert differing(plain, other) == {"initialization"}


@pytest.mark.parametrize("seed", range(4))
def test_other_random_numbers_are_the_same_initialization(tmp_path: Path, seed: int) -> None:
    lines = drawn(*(f"nn.init.kaiming_normal_(self.net[{layer}].weight, nonlinearity='relu')" for layer in (0, 2)))
    seeded = ("LR = 0.01", f"LR = 0.01\ntorch.manual_seed({seed})")
    assert knob_values(snapshot(tmp_path, lines, seeded))["initialization"] == ["weights kaiming"]
