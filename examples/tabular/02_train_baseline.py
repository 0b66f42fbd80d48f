"""Estimate the price of a diamond with a small perceptron: a plain baseline on a table."""

import json
from pathlib import Path

import lightning as L
import pandas as pd
import torch
import torch.nn.functional as F
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

DATASET_ID = "v1"
VERSION = "baseline"
SEED = 42

DATA_DIR = Path("dataset/prepdata") / DATASET_ID
ARTIFACT_DIR = Path("Models/Artifacts") / VERSION

FEATURES = ["carat", "cut", "color", "clarity", "depth", "table", "x", "y", "z"]
TARGET = "price"

EPOCHS = 15
BATCH_SIZE = 64
LEARNING_RATE = 0.001
HIDDEN = 64


def load(split: str) -> TensorDataset:
    table = pd.read_parquet(DATA_DIR / split / f"{split}.parquet")
    features = torch.tensor(table[FEATURES].to_numpy("float32"))
    return TensorDataset(features, torch.tensor(table[TARGET].to_numpy("float32")))


class Diamonds(L.LightningDataModule):
    """Measures and grades of a diamond, and its price in US dollars."""

    def train_dataloader(self) -> DataLoader:
        return DataLoader(load("train"), batch_size=BATCH_SIZE, shuffle=True)

    def val_dataloader(self) -> DataLoader:
        return DataLoader(load("valid"), batch_size=500)

    def test_dataloader(self) -> DataLoader:
        return DataLoader(load("test"), batch_size=500)


class PriceRegressor(L.LightningModule):
    """Two hidden layers, one price."""

    def __init__(self, hidden: int = HIDDEN) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.network = nn.Sequential(
            nn.Linear(len(FEATURES), hidden),
            nn.ReLU(),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Linear(hidden, 1),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.network(x).squeeze(-1)

    def training_step(self, batch: tuple[torch.Tensor, torch.Tensor], batch_idx: int) -> torch.Tensor:
        x, y = batch
        loss = F.mse_loss(self(x), y)
        self.log("train_loss", loss, on_step=False, on_epoch=True)
        return loss

    def validation_step(self, batch: tuple[torch.Tensor, torch.Tensor], batch_idx: int) -> None:
        x, y = batch
        prices = self(x)
        self.log("val_loss", F.mse_loss(prices, y))
        self.log("val_mae", F.l1_loss(prices, y))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), lr=LEARNING_RATE)


def main() -> None:
    L.seed_everything(SEED)
    best = ModelCheckpoint(dirpath=ARTIFACT_DIR, filename="best", monitor="val_loss", mode="min")
    last = ModelCheckpoint(
        dirpath=ARTIFACT_DIR, filename="last", save_on_train_epoch_end=True, enable_version_counter=False
    )
    trainer = L.Trainer(
        max_epochs=EPOCHS,
        accelerator="cpu",
        callbacks=[best, last],
        logger=CSVLogger(ARTIFACT_DIR, name="logs"),
        enable_progress_bar=False,
    )
    trainer.fit(PriceRegressor(), datamodule=Diamonds())
    spec = {"dataset_id": DATASET_ID, "version": VERSION, "additional_assets": "not_required"}
    (ARTIFACT_DIR / "spec.json").write_text(json.dumps(spec, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
