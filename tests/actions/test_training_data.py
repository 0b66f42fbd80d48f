"""What is set from the training data before fitting has the values that it should, and is kept by checkpoints."""

import pytest
import torch

from progtrain.actions import action_named
from progtrain.script.capturing.capture import CapturedFit, capture_fit

pytestmark = pytest.mark.filterwarnings("ignore")

SCRIPT = """\
import lightning as L
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset


class Net(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 2))

    def forward(self, x):
        return self.net(x)

    def training_step(self, batch, index):
        return F.cross_entropy(self(batch[0]), batch[1])

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.01)


class Data(L.LightningDataModule):
    def train_dataloader(self):
        inputs = torch.tensor([[4.0, 7.0], [8.0, 7.0]]).repeat(50, 1)
        return DataLoader(TensorDataset(inputs, (torch.arange(100) >= 80).long()), batch_size=32, shuffle=True)


trainer = L.Trainer(max_epochs=1, logger=False, enable_checkpointing=False, enable_progress_bar=False)
trainer.fit(Net(), datamodule=Data())
"""


@pytest.fixture(scope="module")
def fit(tmp_path_factory) -> CapturedFit:
    source = action_named("standardize_inputs").apply(SCRIPT, {"size": [2]})
    source = action_named("class_weights").apply(source, {"classes": 2})
    source = action_named("output_bias").apply(source, {"classes": 2})
    script = tmp_path_factory.mktemp("fit") / "02_train_v001.py"
    script.write_text(source, encoding="utf-8")
    return capture_fit(script)


def test_inputs_come_in_with_mean_0_and_spread_1(fit):
    assert fit.model.input_mean.tolist() == [6.0, 7.0]
    assert fit.model.input_std.tolist() == pytest.approx([2.0, 1.0], rel=0.01)  # a constant feature stays as it is


def test_a_class_four_times_as_frequent_weighs_a_fourth(fit):
    assert fit.model.class_weights.tolist() == pytest.approx([0.625, 2.5])


def test_the_first_answer_is_the_prior(fit):
    assert torch.softmax(fit.model.net[-1].bias, dim=0).tolist() == pytest.approx([0.8, 0.2])


def test_checkpoints_keep_them(fit):
    assert {"input_mean", "input_std", "class_weights", "net.2.bias"} <= set(fit.model.state_dict())
