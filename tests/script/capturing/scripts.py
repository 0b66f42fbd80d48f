"""Small training scripts for the tests of what is captured of them."""

from pathlib import Path
from textwrap import dedent, indent

from progtrain.script.capturing.capture import CapturedFit, capture_fit

MODEL = """
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset


class Net({module}):
    def __init__(self, lr=0.05):
        super().__init__()
        self.lr = lr
        self.net = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Dropout(0.25), nn.Linear(16, 3))

    def forward(self, inputs):
        return self.net(inputs)

    def training_step(self, batch, index):
        inputs, targets = batch
        loss = F.cross_entropy(self(inputs), targets)
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch, index):
        self.log("valid_loss", F.cross_entropy(self(batch[0]), batch[1]))

    def configure_optimizers(self):
{optimizers}


def loader(size, shuffle=False):
    generator = torch.Generator().manual_seed(size)
    inputs = torch.randn(size, 6, generator=generator)
    return DataLoader(TensorDataset(inputs, inputs[:, :3].argmax(1)), batch_size=10, shuffle=shuffle)
"""
TRAINER = "L.Trainer(max_epochs=2, logger=False, enable_checkpointing=False, accelerator='cpu')"
SGD = "        return torch.optim.SGD(self.parameters(), lr=self.lr)"


def written(folder: Path, imports: str, body: str, module: str = "L.LightningModule", optimizers: str = SGD) -> Path:
    script = folder / "02_train_v001.py"
    script.write_text(imports + "\n" + MODEL.format(module=module, optimizers=optimizers) + dedent(body))
    return script


def captured(folder: Path, body: str, optimizers: str = SGD) -> CapturedFit:
    return capture_fit(written(folder, "import lightning as L", body, optimizers=indent(dedent(optimizers), " " * 8)))
