"""python train.py [fit --config config.yaml]"""
import sys

import lightning as L
import numpy as np
import torch
from lightning.pytorch.cli import LightningCLI
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class SignalData(L.LightningDataModule):
    def __init__(self, batch_size: int = 16, root: str = "dataset/prepdata/v1"):
        super().__init__()
        self.save_hyperparameters()

    def setup(self, stage: str):
        def read(split):
            arrays = np.load(f"{self.hparams.root}/{split}/signals.npz")
            return TensorDataset(torch.from_numpy(arrays["x"]), torch.from_numpy(arrays["y"]))

        self.train, self.valid = read("train"), read("valid")

    def train_dataloader(self):
        return DataLoader(self.train, batch_size=self.hparams.batch_size, shuffle=True)

    def val_dataloader(self):
        return DataLoader(self.valid, batch_size=self.hparams.batch_size)


class SignalNet(L.LightningModule):
    def __init__(self, hidden: int = 32, dropout: float = 0.0):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(16, hidden), nn.ReLU(), nn.Dropout(dropout), nn.Linear(hidden, 4))

    def forward(self, x):
        return self.net(x)

    def training_step(self, batch, batch_idx):
        loss = nn.functional.cross_entropy(self(batch[0]), batch[1])
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch, batch_idx):
        self.log("val_loss", nn.functional.cross_entropy(self(batch[0]), batch[1]))


if __name__ == "__main__":
    LightningCLI(SignalNet, SignalData, args=sys.argv[1:] or ["fit", "--config", "config.yaml"])
