"""Every action under every lock, on real scripts: whatever is still proposed leaves the locked knobs where they are."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from progtrain.actions import Situation, catalogue
from progtrain.knobs import FAMILY, group
from progtrain.records import Finding, Proposal, Snapshot
from progtrain.rules import Constraints, Rules
from progtrain.script.capturing.capture import capture_fit
from progtrain.script.editing.versioning import undo_edits
from progtrain.script.reading.anatomy import read_anatomy
from progtrain.script.settings.knob_values import differing
from progtrain.step_records import Attempt

PERCEPTRON = """\
import lightning as L
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

LR = 0.01


class Net(L.LightningModule):
    def __init__(self, hidden=16):
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(40, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, 10)
        )

    def forward(self, x):
        return self.net(x)

    def training_step(self, batch, index):
        x, y = batch
        loss = F.cross_entropy(self(x), y)
        return loss

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=LR)


L.seed_everything(42, verbose=False)
data = TensorDataset(torch.randn(64, 40), torch.randint(10, (64,)))
trainer = L.Trainer(max_epochs=40, logger=False, enable_checkpointing=False, enable_progress_bar=False)
trainer.fit(Net(), DataLoader(data, batch_size=32, shuffle=True), DataLoader(data, batch_size=32))
"""

REGRESSION = """\
import lightning as L
import torch
import torch.nn as nn
from torch.optim import Adam
from torch.optim.lr_scheduler import CosineAnnealingLR
from torch.utils.data import DataLoader, TensorDataset

EPOCHS = 30


class Net(L.LightningModule):
    def __init__(self, lr=1e-3, weight_decay=1e-4, p=0.2):
        super().__init__()
        self.save_hyperparameters()
        self.fc1 = nn.Linear(8, 32)
        self.drop = nn.Dropout(p)
        self.fc2 = nn.Linear(32, 1)

    def forward(self, x):
        return self.fc2(self.drop(torch.relu(self.fc1(x))))

    def training_step(self, batch, index):
        x, y = batch
        loss = nn.functional.mse_loss(self(x), y)
        return loss

    def configure_optimizers(self):
        optimizer = Adam(self.parameters(), lr=self.hparams.lr, weight_decay=self.hparams.weight_decay)
        return [optimizer], [CosineAnnealingLR(optimizer, T_max=EPOCHS)]


L.seed_everything(1, verbose=False)
data = TensorDataset(torch.randn(64, 8), torch.randn(64, 1))
trainer = L.Trainer(max_epochs=EPOCHS, logger=False, enable_checkpointing=False, enable_progress_bar=False)
trainer.fit(Net(), DataLoader(data, batch_size=32), DataLoader(data, batch_size=32))
"""

SCRIPTS = {"perceptron": (PERCEPTRON, ("LR = 0.01", "LR = 0.1")), "regression": (REGRESSION, ("p=0.2", "p=0.4"))}
LAST_CHANGE = {"perceptron": "lr", "regression": "dropout"}
#: A name a set of knobs: a family of one knob locks what the knob does.
LOCKS = {group(name): name for name in sorted({*FAMILY, *FAMILY.values()})}.values()

pytestmark = pytest.mark.filterwarnings("ignore")


class Captures:
    """Snapshots by source, and of the children that actions make: what many locks have in common is run once."""

    def __init__(self, folder: Path) -> None:
        self.script = folder / "02_train_v001.py"
        self.differences: dict[tuple[str, str], frozenset[str]] = {}

    def of(self, source: str) -> Snapshot:
        self.script.write_text(source, encoding="utf-8")
        return capture_fit(self.script).snapshot

    def difference(self, source: str, parent: Snapshot, proposal: Proposal) -> frozenset[str]:
        """The knobs that the proposal moves, replayed from JSON to the same source twice."""
        key = (source, proposal.model_dump_json(include={"action", "parameters"}))
        if key not in self.differences:
            action = catalogue()[proposal.action]
            child = action.apply(source, proposal.parameters)
            assert child == action.apply(source, json.loads(json.dumps(proposal.parameters))), proposal.action
            self.differences[key] = differing(parent, self.of(child))
        return self.differences[key]


@pytest.fixture(scope="module")
def captures(tmp_path_factory: pytest.TempPathFactory) -> Captures:
    return Captures(tmp_path_factory.mktemp("captures"))


def situation_of(name: str, snapshot: Snapshot) -> Situation:
    """One in which every finding was made, so that nothing but the rules and the script holds an action back."""
    source, change = SCRIPTS[name]
    names = sorted({answer for action in catalogue().values() for answer in action.answers})
    knob = LAST_CHANGE[name]
    last = Attempt(
        version="v002",
        parent="v001",
        action="by hand",
        parameters={},
        touches=(knob,),
        verdict="regressed",
        primary=0.5,
        knobs={},
    )
    return Situation(
        anatomy=read_anatomy(source),
        snapshot=snapshot,
        findings=tuple(Finding(name=found, numbers={}, severity=1.0, message=found) for found in names),
        history=(last,),
        locks={},
        undo=undo_edits(source, source.replace(*change)),
    )


def proposals(situation: Situation, locks: Mapping[str, str]) -> list[Proposal]:
    bound = Situation(
        situation.anatomy, situation.snapshot, situation.findings, situation.history, locks, situation.undo
    )
    answers = [action.propose(bound) for action in catalogue().values()]
    return [answer for answer in answers if isinstance(answer, Proposal)]


@pytest.mark.parametrize("name", SCRIPTS)
def test_no_action_passes_a_lock(name: str, captures: Captures) -> None:
    source = SCRIPTS[name][0]
    parent = captures.of(source)
    situation = situation_of(name, parent)
    assert "take_back" in {proposal.action for proposal in proposals(situation, {})}
    for lock in LOCKS:
        reasons = Rules(constraints=Constraints(lock=(lock,))).lock_reasons
        for proposal in proposals(situation, reasons):
            different = captures.difference(source, parent, proposal)
            assert not different & reasons.keys(), (lock, proposal.action, different)
            assert different <= set(proposal.touches), (lock, proposal.action, different)


@pytest.mark.parametrize("name", SCRIPTS)
def test_every_action_that_touches_only_the_locked_is_refused_by_the_rule(name: str, captures: Captures) -> None:
    situation = situation_of(name, captures.of(SCRIPTS[name][0]))
    everything = dict.fromkeys(FAMILY, "constraints.lock: all")
    assert proposals(situation, everything) == []
    for proposal in proposals(situation, {}):
        answer = catalogue()[proposal.action].propose(
            Situation(
                situation.anatomy, situation.snapshot, situation.findings, situation.history, everything, situation.undo
            )
        )
        assert answer.by_rule, answer
        assert "constraints.lock: all" in answer.reason
