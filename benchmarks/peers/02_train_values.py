"""A plain perceptron for numbers: the weak baseline that everybody begins with."""

import json
from pathlib import Path

import lightning as L
import numpy as np
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

FEATURES = 40
OUTPUTS = 1
HIDDEN = 64
EPOCHS = 20
BATCH_SIZE = 64
LEARNING_RATE = 0.001


def load(split):
    arrays = np.load(DATA_DIR / split / "arrays.npz")
    return TensorDataset(torch.from_numpy(arrays["x"]), torch.from_numpy(arrays["y"]))


class Data(L.LightningDataModule):
    def train_dataloader(self):
        return DataLoader(load("train"), batch_size=BATCH_SIZE, shuffle=True)

    def val_dataloader(self):
        return DataLoader(load("valid"), batch_size=500)

    def test_dataloader(self):
        return DataLoader(load("test"), batch_size=500)


class Perceptron(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.network = nn.Sequential(
            nn.Linear(FEATURES, HIDDEN),
            nn.ReLU(),
            nn.Linear(HIDDEN, HIDDEN),
            nn.ReLU(),
            nn.Linear(HIDDEN, OUTPUTS),
        )

    def forward(self, x):
        return self.network(x).squeeze(-1)

    def training_step(self, batch, batch_idx):
        x, y = batch
        loss = F.mse_loss(self(x), y)
        self.log("train_loss", loss, on_step=False, on_epoch=True)
        return loss

    def validation_step(self, batch, batch_idx):
        x, y = batch
        self.log("val_loss", F.mse_loss(self(x), y))

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=LEARNING_RATE)


def main():
    L.seed_everything(SEED)
    checkpoint = ModelCheckpoint(dirpath=ARTIFACT_DIR, filename="best", monitor="val_loss", save_last=True)
    trainer = L.Trainer(
        max_epochs=EPOCHS,
        accelerator="cpu",
        callbacks=[checkpoint],
        logger=CSVLogger(ARTIFACT_DIR, name="logs"),
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(Perceptron(), datamodule=Data())
    spec = {"dataset_id": DATASET_ID, "version": VERSION, "additional_assets": "not_required"}
    (ARTIFACT_DIR / "spec.json").write_text(json.dumps(spec, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
