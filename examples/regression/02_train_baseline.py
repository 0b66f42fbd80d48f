"""Fit Friedman's function with a small perceptron.

Written as many scripts are: settings from the command line, loaders made in main(), and no thought of
versions. The audit adds what the loop needs (DATASET_ID, VERSION, best and last checkpoints, logs, spec.json).
"""

import argparse

import numpy as np
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import ModelCheckpoint
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Regressor(pl.LightningModule):
    def __init__(self, in_features=10, hidden=32, lr=1e-3):
        super().__init__()
        self.save_hyperparameters()
        self.net = nn.Sequential(nn.Linear(in_features, hidden), nn.Tanh(), nn.Linear(hidden, 1))
        self.loss = nn.MSELoss()

    def forward(self, x):
        return self.net(x).squeeze(-1)

    def training_step(self, batch, batch_idx):
        x, y = batch
        loss = self.loss(self(x), y)
        self.log("train_loss", loss, on_step=False, on_epoch=True)
        return loss

    def validation_step(self, batch, batch_idx):
        x, y = batch
        self.log("val_loss", self.loss(self(x), y))

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=self.hparams.lr)


def read_samples(path):
    rows = np.loadtxt(path, delimiter=",", skiprows=1, dtype=np.float32)
    return TensorDataset(torch.from_numpy(rows[:, :-1]), torch.from_numpy(rows[:, -1]))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--max-epochs", type=int, default=15)
    args = parser.parse_args()

    pl.seed_everything(42)
    train_loader = DataLoader(read_samples("dataset/prepdata/v1/train/samples.csv"), args.batch_size, shuffle=True)
    valid_loader = DataLoader(read_samples("dataset/prepdata/v1/valid/samples.csv"), 400)

    model = Regressor(lr=args.lr)
    checkpoint = ModelCheckpoint(dirpath="Models/Artifacts/baseline", monitor="val_loss")
    trainer = pl.Trainer(
        max_epochs=args.max_epochs, accelerator="cpu", callbacks=[checkpoint], enable_progress_bar=False
    )
    trainer.fit(model, train_loader, valid_loader)


if __name__ == "__main__":
    main()
