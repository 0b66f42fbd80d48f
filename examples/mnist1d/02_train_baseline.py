"""Classify MNIST-1D signals with a small perceptron: the plain baseline that the loop starts from."""

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

EPOCHS = 20
BATCH_SIZE = 64
LEARNING_RATE = 0.01
HIDDEN = 64


class Signals(L.LightningDataModule):
    """Signals of 40 values, and the digit each stands for."""

    def setup(self, stage: str) -> None:
        self.train_set = self.load("train")
        self.valid_set = self.load("valid")

    def load(self, split: str) -> TensorDataset:
        arrays = np.load(DATA_DIR / split / "signals.npz")
        return TensorDataset(torch.from_numpy(arrays["x"]), torch.from_numpy(arrays["y"]))

    def train_dataloader(self) -> DataLoader:
        return DataLoader(self.train_set, batch_size=BATCH_SIZE, shuffle=True, num_workers=0)

    def val_dataloader(self) -> DataLoader:
        return DataLoader(self.valid_set, batch_size=256, num_workers=0)

    def test_dataloader(self) -> DataLoader:
        return DataLoader(self.load("test"), batch_size=256, num_workers=0)


class SignalClassifier(L.LightningModule):
    """Two hidden layers, one score a class."""

    def __init__(self, hidden: int = HIDDEN) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.network = nn.Sequential(
            nn.Linear(40, hidden),
            nn.ReLU(),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Linear(hidden, 10),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.network(x)

    def training_step(self, batch: tuple[torch.Tensor, torch.Tensor], batch_idx: int) -> torch.Tensor:
        x, y = batch
        loss = F.cross_entropy(self(x), y)
        self.log("train_loss", loss, on_step=False, on_epoch=True)
        return loss

    def validation_step(self, batch: tuple[torch.Tensor, torch.Tensor], batch_idx: int) -> None:
        x, y = batch
        scores = self(x)
        self.log("val_loss", F.cross_entropy(scores, y))
        self.log("val_acc", (scores.argmax(dim=1) == y).float().mean())

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=LEARNING_RATE)


def write_spec(model: SignalClassifier) -> None:
    spec = {
        "dataset_id": DATASET_ID,
        "version": VERSION,
        "model": type(model).__name__,
        "hparams": dict(model.hparams),
        "seed": SEED,
        "additional_assets": "not_required",
    }
    (ARTIFACT_DIR / "spec.json").write_text(json.dumps(spec, indent=2) + "\n", encoding="utf-8")


def main() -> None:
    L.seed_everything(SEED, workers=True)
    model = SignalClassifier()
    best = ModelCheckpoint(
        dirpath=ARTIFACT_DIR,
        filename="best",
        monitor="val_loss",
        mode="min",
        enable_version_counter=False,
    )
    last = ModelCheckpoint(
        dirpath=ARTIFACT_DIR,
        filename="last",
        save_on_train_epoch_end=True,
        enable_version_counter=False,
    )
    trainer = L.Trainer(
        max_epochs=EPOCHS,
        accelerator="cpu",
        deterministic=True,
        logger=CSVLogger(save_dir=ARTIFACT_DIR, name="logs"),
        callbacks=[best, last],
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(model, datamodule=Signals())
    write_spec(model)


if __name__ == "__main__":
    main()
