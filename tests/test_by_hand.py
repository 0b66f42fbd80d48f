"""`progtrain apply` and `progtrain actions --workspace`: one action by hand, under the rules of the folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from progtrain.cli import cli

SCRIPT = """\
import lightning as L
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

LR = 0.01


class Net(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(40, 16), nn.ReLU(), nn.Linear(16, 10))

    def training_step(self, batch, index):
        return F.cross_entropy(self.net(batch[0]), batch[1])

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=LR)


torch.manual_seed(0)
data = TensorDataset(torch.randn(64, 40), torch.randint(10, (64,)))
trainer = L.Trainer(max_epochs=3, logger=False, enable_checkpointing=False)
trainer.fit(Net(), DataLoader(data, batch_size=32, shuffle=True))
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "02_train_baseline.py"
    path.write_text(SCRIPT)
    return path


def rules(folder: Path, **constraints: object) -> None:
    (folder / "user_defined_rules.json").write_text(json.dumps({"constraints": constraints}))


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


def test_diff_leaves_the_script_and_without_it_the_script_is_written(script: Path) -> None:
    shown = run("apply", "gelu", script, "--diff")
    assert "+        self.net = nn.Sequential(nn.Linear(40, 16), nn.GELU(), nn.Linear(16, 10))" in shown.output
    assert script.read_text() == SCRIPT
    assert run("apply", "raise_learning_rate", script, "--set", "new=[0.02]").exit_code == 0
    assert script.read_text() == SCRIPT.replace("LR = 0.01", "LR = 0.02")


@pytest.mark.parametrize(
    ("constraints", "arguments", "status", "message"),
    [
        ({}, ["glue"], 2, "No action is called 'glue'"),
        ({"lock": ["activation"]}, ["gelu"], 1, "the rules hold activation (constraints.lock: activation)"),
        ({"forbid": ["gelu"]}, ["gelu"], 1, "constraints.forbid names it"),
        ({"max_parameters": 900}, ["widen"], 1, "constraints.max_parameters allows 900"),
        ({}, ["clip_gradients", "--set", "norm=1"], 2, "no parameter 'norm' here; its parameters are: value=1.0"),
        ({}, ["clip_gradients", "--set", "value=much"], 2, "a value in JSON"),
    ],
)
def test_refusals(
    script: Path, constraints: dict[str, object], arguments: list[str], status: int, message: str
) -> None:
    rules(script.parent, **constraints)
    ended = run("apply", arguments[0], script, *arguments[1:])
    assert ended.exit_code == status
    assert message in ended.stderr
    assert script.read_text() == SCRIPT


def test_actions_of_a_workspace_in_three_parts(script: Path) -> None:
    rules(script.parent, lock=["capacity"], forbid=["gelu"])
    page = run("actions", "--workspace", script.parent).output
    applies, _, rest = page.partition("actions that the rules forbid:")
    forbidden, _, unfit = rest.partition("actions that do not fit:")
    assert "silu" in applies
    assert "the rules hold width (constraints.lock: capacity)" in forbidden
    assert "constraints.forbid names it" in forbidden
    assert "take_back" in unfit


def test_an_unknown_action_in_the_rules(script: Path) -> None:
    rules(script.parent, allow=["widn"])
    ended = run("actions", "--workspace", script.parent)
    assert ended.exit_code == 2
    assert "Did you mean 'widen'" in ended.stderr
