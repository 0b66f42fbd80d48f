"""Predict sale prices in dollars. Most are small and a few are huge; the target is not transformed."""
import argparse

import lightning.pytorch as pl
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class PriceNet(pl.LightningModule):
    def __init__(self, learning_rate: float, units: int = 24):
        super().__init__()
        self.save_hyperparameters()
        self.body = nn.Sequential(nn.Linear(4, units), nn.ReLU(), nn.Linear(units, units), nn.ReLU())
        self.head = nn.Linear(units, 1)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return self.head(self.body(features)).squeeze(-1)

    def training_step(self, batch, batch_idx):
        features, price = batch
        predicted = self(features)
        loss = F.mse_loss(predicted, price)
        self.log("train_loss", loss)
        self.log("train_mae", (predicted - price).abs().mean())
        return loss

    def validation_step(self, batch, batch_idx):
        features, price = batch
        self.log("val_loss", F.mse_loss(self(features), price))

    def configure_optimizers(self):
        return torch.optim.RMSprop(self.parameters(), lr=self.hparams.learning_rate)


def read(split: str) -> TensorDataset:
    rows = np.loadtxt(f"dataset/prepdata/v1/{split}.csv", delimiter=",", skiprows=1, dtype=np.float32)
    dollars = 20 * np.exp(rows[:, 4] / 2)
    return TensorDataset(torch.from_numpy(rows[:, :4]), torch.from_numpy(dollars))


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--learning-rate", default=1e-3, type=float)
    parser.add_argument("--epochs", default=20, type=int)
    options = parser.parse_args(arguments)
    pl.seed_everything(5)
    trainer = pl.Trainer(max_epochs=options.epochs, logger=False, enable_progress_bar=False)
    trainer.fit(
        PriceNet(options.learning_rate),
        DataLoader(read("train"), batch_size=32, shuffle=True),
        DataLoader(read("valid"), batch_size=32),
    )


if __name__ == "__main__":
    main()
