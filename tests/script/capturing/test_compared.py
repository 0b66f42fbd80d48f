"""What the loss of a training step compares answers with, and what the validation step measures by."""

import pytest

from progtrain.script.capturing.capture import capture_fit

SCRIPT = """\
import lightning as L
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Net(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(32, 8), nn.ReLU(), nn.Linear(8, 32))
        self.seen = []

    def training_step(self, batch, index):
        x, y = batch
        LOSS

    def validation_step(self, batch, index):
        x, y = batch
        self.seen.append(index)
        self.log("val_loss", F.MEASURED)

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=1e-3)


L.seed_everything(42, verbose=False)
data = TensorDataset(torch.rand(64, 32), torch.arange(64) % 4)
trainer = L.Trainer(max_epochs=8, logger=False, enable_checkpointing=False, enable_progress_bar=False)
trainer.fit(Net(), DataLoader(data, batch_size=32), DataLoader(data, batch_size=32))
"""
LOSSES = {
    "return F.cross_entropy(self.net(x), y)": ("targets",),
    "return F.nll_loss(F.log_softmax(self.net(x), 1), y % 3)": ("targets",),
    "return F.mse_loss(self.net(x), x)": ("inputs",),
    "return F.mse_loss(self.net(x + 0.1 * torch.randn_like(x)), x)": ("inputs",),
    "return F.l1_loss(self.net(x), (x.flatten(1) / x.max()).detach())": ("inputs",),
    "return F.binary_cross_entropy(self.net(x).sigmoid(), x.view(-1, 32))": ("inputs",),
    "return ((self.net(x) - x) ** 2).mean()": ("inputs",),
    "return ((self.net(x) - F.one_hot(y, 32)) ** 2).mean()": ("targets",),
    "return F.cross_entropy(self.net(x), y) + F.mse_loss(self.net(x), x)": ("inputs", "targets"),
    "return F.cross_entropy(self.net(x), y) + F.mse_loss(self.net(x.flip(0)).flip(0), self.net(x).detach())": (
        "inputs",
        "targets",
    ),
    "return F.cross_entropy(self.net(x), torch.arange(32))": (),
}

pytestmark = pytest.mark.filterwarnings("ignore")


def captured(tmp_path, loss, measured="cross_entropy(self.net(x), y)"):
    script = tmp_path / "02_train_baseline.py"
    script.write_text(SCRIPT.replace("LOSS", loss).replace("MEASURED", measured), encoding="utf-8")
    return capture_fit(script)


@pytest.mark.parametrize("loss", LOSSES)
def test_what_answers_are_compared_with(tmp_path, loss):
    assert captured(tmp_path, loss).snapshot.compared == LOSSES[loss]


@pytest.mark.parametrize(
    ("measured", "losses"),
    [
        ("cross_entropy(self.net(x), y)", ("cross_entropy(ignore_index=-100, label_smoothing=0.0, reduction='mean')",)),
        (
            "cross_entropy(self.net(x), y, label_smoothing=0.1)",
            ("cross_entropy(ignore_index=-100, label_smoothing=0.1, reduction='mean')",),
        ),
        (
            "cross_entropy(self.net(x), y, weight=torch.ones(32))",
            ("cross_entropy(ignore_index=-100, label_smoothing=0.0, reduction='mean', tensors=3)",),
        ),
        ("cross_entropy(self.nothing(x), y)", None),
        ("relu(x).mean()", ()),
    ],
)
def test_what_validation_measures_by(tmp_path, measured, losses):
    fit = captured(tmp_path, "return F.cross_entropy(self.net(x), y)", measured)

    assert fit.snapshot.measured == losses
    assert fit.model.training
    assert fit.model.seen == []
