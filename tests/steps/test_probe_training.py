"""How a script is shortened for a probe, and what becomes of one that cannot be."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from progtrain.errors import EditError
from progtrain.loop import opened
from progtrain.steps import Context
from progtrain.steps.capturing import capture_source
from progtrain.steps.probe_training import Trial, shortened, train_briefly

Make = Callable[..., Trial]


SCRIPT = """
import lightning as L
import torch
from torch.utils.data import DataLoader, TensorDataset

VERSION = "v001"
EPOCHS = 9


class Line(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(2, 1)

    def training_step(self, batch, batch_idx):
        return self.layer(batch[0]).square().mean()

    def configure_optimizers(self):
        optimizer = torch.optim.SGD(self.parameters(), lr=0.1)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max={length})
        return {{"optimizer": optimizer, "lr_scheduler": schedule}}


loader = DataLoader(TensorDataset(torch.ones(8, 2)), batch_size=4)
L.Trainer({end}, accelerator="cpu", logger=False, enable_checkpointing=False).fit(Line(), loader)
"""


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Context]:
    root: Path = tmp_path_factory.mktemp("probes")
    (root / "user_defined_rules.json").write_text(json.dumps({"loop_config": {"probes": 2}}))
    (root / "02_train_v001.py").write_text('VERSION = "v001"\n')
    with opened(root) as made:
        yield made


@pytest.fixture(scope="module")
def trial(context: Context) -> Make:
    """A script as if it were v002's, captured."""

    def make(length: str, end: str = "max_epochs=EPOCHS") -> Trial:
        source = SCRIPT.format(length=length, end=end)
        return Trial("v002", source, capture_source(context.workspace, context.executor, "v002", source), None)

    return make


@pytest.mark.parametrize("length", ["EPOCHS", "self.trainer.max_epochs"])
def test_a_schedule_follows_the_epochs(context: Context, trial: Make, length: str) -> None:
    source, remark = shortened(context, trial(length), 3)
    assert "EPOCHS = 3" in source
    assert remark == ""
    brief = capture_source(context.workspace, context.executor, "v002", source)
    assert brief.schedulers[0].arguments["T_max"] == 3


def test_a_schedule_with_a_length_of_its_own_is_remarked(context: Context, trial: Make) -> None:
    _, remark = shortened(context, trial("9"), 3)
    assert remark == "CosineAnnealingLR stays as long as in the whole training: its T_max is no epochs knob"


def test_a_training_that_no_epochs_end_fails_and_is_not_tried_again(context: Context, trial: Make) -> None:
    endless = trial("9", "max_epochs=EPOCHS, max_steps=4")
    with pytest.raises(EditError, match="ends after a number of epochs"):
        shortened(context, endless, 3)
    [record] = train_briefly(context, "v001", [endless], 0)
    assert (record.score, record.epochs, record.number) == (None, 3, 1)
    assert [*train_briefly(context, "v001", [endless], 0)] == [record]
