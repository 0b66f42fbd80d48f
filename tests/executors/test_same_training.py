import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from progtrain.executors import Outcome

SCRIPT = """
import lightning as L
import torch
from lightning.pytorch.loggers import CSVLogger
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset


class Net(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(20, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(0.1), nn.Linear(32, 3))

    def training_step(self, batch, index):
        loss = F.cross_entropy(self.net(batch[0]), batch[1])
        self.log("train_loss", loss)
        return loss

    def configure_optimizers(self):
        return torch.optim.AdamW(self.parameters(), lr=0.01)


if __name__ == "__main__":
    L.seed_everything(42)
    inputs = torch.randn(128, 20)
    data = TensorDataset(inputs, inputs[:, :3].argmax(1))
    logger = CSVLogger(".", name="logs")
    trainer = L.Trainer(
        max_epochs=2, logger=logger, log_every_n_steps=1, enable_checkpointing=False, accelerator="cpu"
    )
    trainer.fit(Net(), DataLoader(data, batch_size=32, shuffle=True, num_workers=1))
"""


@pytest.mark.parametrize("isolation", ["warm"], indirect=True, scope="module")
def test_metrics_are_equal_to_the_last_digit(run_source: Callable[[str], tuple[Outcome, str]], tmp_path: Path) -> None:
    outcome, log = run_source(SCRIPT)
    assert outcome.succeeded, log
    metrics = tmp_path / "logs/version_0/metrics.csv"
    assert metrics.read_text().count("\n") == 1 + 2 * 4
    subprocess.run([sys.executable, "script.py"], cwd=tmp_path, check=True, capture_output=True)
    assert metrics.read_bytes() == (tmp_path / "logs/version_1/metrics.csv").read_bytes()
