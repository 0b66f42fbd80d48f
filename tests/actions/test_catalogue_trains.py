"""Every action, on real scripts: the child trains, and differs from its parent in what the action says it touches."""

from pathlib import Path

import lightning as L
import pytest

from progtrain.actions import Situation, catalogue
from progtrain.records import Finding, Proposal
from progtrain.script.capturing.capture import CapturedFit, capture_fit
from progtrain.script.reading.anatomy import read_anatomy
from progtrain.script.settings.knob_values import differing

SEQUENTIAL = """\
import lightning as L
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

LR = 0.01


class Net(L.LightningModule):
    def __init__(self, hidden=32):
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(40, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, 10)
        )

    def forward(self, x):
        return self.net(x)

    def training_step(self, batch, index):
        return F.cross_entropy(self(batch[0]), batch[1])

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=LR)


L.seed_everything(42, verbose=False)
data = TensorDataset(torch.randn(320, 40), torch.randint(10, (320,)))
trainer = L.Trainer(max_epochs=40, logger=False, enable_checkpointing=False, enable_progress_bar=False)
trainer.fit(Net(), DataLoader(data, batch_size=32, shuffle=True), DataLoader(data, batch_size=32))
"""

ATTRIBUTES = """\
import argparse

import torch
import torch.nn as nn
from lightning.pytorch import LightningModule, Trainer, seed_everything
from torch.optim import Adam
from torch.utils.data import DataLoader, TensorDataset


class Net(LightningModule):
    def __init__(self, lr, weight_decay=1e-4, p=0.2):
        super().__init__()
        self.save_hyperparameters()
        self.fc1 = nn.Linear(40, 64)
        self.fc2 = nn.Linear(64, 32)
        self.drop = nn.Dropout(p)
        self.head = nn.Linear(32, 10)
        self.loss = nn.CrossEntropyLoss()

    def forward(self, x):
        x = torch.relu(self.fc1(x))
        x = self.fc2(x)
        x = torch.relu(x)
        return self.head(self.drop(x))

    def training_step(self, batch, index):
        inputs, targets = batch
        return self.loss(self(inputs), targets)

    def configure_optimizers(self):
        optimizer = Adam(self.parameters(), lr=self.hparams.lr, weight_decay=self.hparams.weight_decay)
        return optimizer


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float, default=1e-3)
    args = parser.parse_args()
    seed_everything(1, verbose=False)
    data = TensorDataset(torch.randn(320, 40), torch.randint(10, (320,)))
    trainer = Trainer(max_epochs=40, logger=False, enable_checkpointing=False, enable_progress_bar=False)
    trainer.fit(Net(args.lr), DataLoader(data, batch_size=32, shuffle=True))


if __name__ == "__main__":
    main()
"""
REGRESSION = (
    SEQUENTIAL.replace("F.cross_entropy(self(batch[0]), batch[1])", "F.mse_loss(self(batch[0]), batch[1])")
    .replace("torch.randint(10, (320,))", "50 + torch.randn(320, 10)")
    .replace(", shuffle=True", "")
)
WATCHED = (
    SEQUENTIAL.replace(
        "    def configure_optimizers",
        "    def validation_step(self, batch, index):\n"
        '        self.log("val_loss", F.cross_entropy(self(batch[0]), batch[1]))\n\n'
        "    def configure_optimizers",
    )
    .replace("enable_checkpointing=False", 'callbacks=[L.pytorch.callbacks.ModelCheckpoint(monitor="val_loss")]')
    .replace("max_epochs=40", "max_epochs=400")
)
SCHEDULED = ATTRIBUTES.replace(
    "return optimizer", "return [optimizer], [torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=7)]"
)
RESIDUAL = SEQUENTIAL.replace("self.net(x)", "self.net(x + self.mixed(x))").replace(
    "        self.net =", "        self.mixed = nn.Linear(40, 40)\n        self.net ="
)
HELD_BACK = ATTRIBUTES.replace("weight_decay=1e-4, p=0.2", "weight_decay=5.0, p=0.8")
SCRIPTS = {
    "sequential": SEQUENTIAL,
    "attributes": ATTRIBUTES,
    "rmsprop": ATTRIBUTES.replace("Adam", "RMSprop"),
    "regression": REGRESSION,
    "watched": WATCHED,
    "scheduled": SCHEDULED,
    "residual": RESIDUAL,
    "held back": HELD_BACK,
}
#: Take a history.
ELSEWHERE = {"take_back", "extend_range"}

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def parents(tmp_path_factory):
    folder = tmp_path_factory.mktemp("parents")
    return {name: capture(folder, source) for name, source in SCRIPTS.items()}


def capture(folder: Path, source: str) -> CapturedFit:
    script = folder / "02_train_v001.py"
    script.write_text(source, encoding="utf-8")
    return capture_fit(script)


def proposals(source: str, parent: CapturedFit) -> dict[str, Proposal]:
    asked = {finding for action in catalogue().values() for finding in action.answers}
    situation = Situation(
        anatomy=read_anatomy(source),
        snapshot=parent.snapshot,
        findings=tuple(Finding(name=name, numbers={}, severity=1.0, message=name) for name in sorted(asked)),
        history=(),
        locks={},
    )
    offers = {name: action.propose(situation) for name, action in catalogue().items()}
    return {name: offer for name, offer in offers.items() if isinstance(offer, Proposal)}


@pytest.mark.parametrize(
    ("name", "actions"),
    [
        ("sequential", set(catalogue())),
        ("attributes", set(catalogue())),
        ("rmsprop", {"rmsprop_to_adamw"}),
        ("watched", {"accumulate_gradients", "early_stopping", "plateau_schedule", "swa"}),
        ("scheduled", {"match_schedule_length", "more_epochs"}),
        ("residual", {"smaller_residual_initialization"}),
        ("held back", {"usual_dropout", "usual_weight_decay"}),
        (
            "regression",
            {
                "shuffle_on",
                "huber_loss",
                "absolute_loss",
                "log_target",
                "output_bias",
                "standardize_inputs",
                "standardize_target",
                "noise_augmentation",
            },
        ),
    ],
)
def test_every_child_trains_and_differs_as_declared(parents, tmp_path, name, actions):
    source, parent = SCRIPTS[name], parents[name]
    offered = proposals(source, parent)
    for action in sorted(actions & offered.keys()):
        proposal = offered[action]
        child = capture(tmp_path, catalogue()[action].apply(source, proposal.parameters))
        different = differing(parent.snapshot, child.snapshot)
        assert different, action
        assert different <= set(proposal.touches) <= catalogue()[action].touches, (action, different)
        train_two_batches(child)


def test_a_sequence_of_actions(parents, tmp_path):
    source, parent = SEQUENTIAL, parents["sequential"]
    for action in (
        "adamw",
        "one_cycle",
        "convolutional_stem",
        "widen",
        "add_dropout",
        "deepen",
        "gelu",
        "raise_dropout",
    ):
        proposal = proposals(source, parent)[action]
        source = catalogue()[action].apply(source, proposal.parameters)
        child = capture(tmp_path, source)
        assert differing(parent.snapshot, child.snapshot) == set(proposal.touches), action
        parent = child
    train_two_batches(parent)


def train_two_batches(fit: CapturedFit) -> None:
    trainer = L.Trainer(
        max_epochs=1,
        limit_train_batches=2,
        limit_val_batches=1,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(fit.model, fit.train_loader, fit.valid_loader)
    assert trainer.global_step == 2


def test_every_action_applies_somewhere(parents):
    offered = {action for name, source in SCRIPTS.items() for action in proposals(source, parents[name])}
    assert set(catalogue()) - offered == ELSEWHERE
