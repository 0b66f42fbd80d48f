"""A small training in which nothing is amiss: faults are planted by giving a constant another value, or in the data."""

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

FEATURES = 64
OUTPUTS = 10
CHANNELS = 0
HIDDEN = 64
LAYERS = 2
ACTIVATION_SHIFT = 0.0

EPOCHS = 15
BATCH_SIZE = 48
LEARNING_RATE = 0.005
WEIGHT_DECAY = 0.01
SHUFFLE = True


class Arrays(L.LightningDataModule):
    """Rows of numbers, and a class or a value for each."""

    def load(self, split: str) -> TensorDataset:
        arrays = np.load(DATA_DIR / split / "arrays.npz")
        return TensorDataset(torch.from_numpy(arrays["x"]), torch.from_numpy(arrays["y"]))

    def train_dataloader(self) -> DataLoader:
        return DataLoader(self.load("train"), batch_size=BATCH_SIZE, shuffle=SHUFFLE, drop_last=True)

    def val_dataloader(self) -> DataLoader:
        return DataLoader(self.load("valid"), batch_size=500)


def stem() -> list[nn.Module]:
    """Two convolutions over a signal, each of which halves its length."""
    return [
        nn.Unflatten(1, (1, FEATURES)),
        nn.Conv1d(1, CHANNELS, 5, padding=2),
        nn.BatchNorm1d(CHANNELS),
        nn.ReLU(),
        nn.MaxPool1d(2),
        nn.Conv1d(CHANNELS, CHANNELS, 5, padding=2),
        nn.BatchNorm1d(CHANNELS),
        nn.ReLU(),
        nn.MaxPool1d(2),
        nn.Flatten(),
    ]


def network() -> nn.Sequential:
    """Normalized dense layers, behind convolutions where the rows are signals."""
    parts, width = (stem(), CHANNELS * (FEATURES // 4)) if CHANNELS else ([], FEATURES)
    for _ in range(LAYERS):
        norm = nn.BatchNorm1d(HIDDEN)
        nn.init.constant_(norm.bias, ACTIVATION_SHIFT)
        parts += [nn.Linear(width, HIDDEN), norm, nn.ReLU()]
        width = HIDDEN
    return nn.Sequential(*parts, nn.Linear(width, OUTPUTS))


class Model(L.LightningModule):
    """Class scores, or one value where there is one output."""

    def __init__(self) -> None:
        super().__init__()
        self.save_hyperparameters({"learning_rate": LEARNING_RATE, "hidden": HIDDEN, "layers": LAYERS})
        self.network = network()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        outputs = self.network(x)
        return outputs if OUTPUTS > 1 else outputs.squeeze(-1)

    def loss(self, batch: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        x, y = batch
        return F.cross_entropy(self(x), y) if OUTPUTS > 1 else F.mse_loss(self(x), y)

    def training_step(self, batch: tuple[torch.Tensor, torch.Tensor], batch_idx: int) -> torch.Tensor:
        loss = self.loss(batch)
        self.log("train_loss", loss, on_step=False, on_epoch=True)
        return loss

    def validation_step(self, batch: tuple[torch.Tensor, torch.Tensor], batch_idx: int) -> None:
        self.log("val_loss", self.loss(batch))

    def configure_optimizers(self) -> dict[str, object]:
        optimizer = torch.optim.AdamW(self.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
        return {
            "optimizer": optimizer,
            "lr_scheduler": torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=EPOCHS),
        }


def main() -> None:
    L.seed_everything(SEED, workers=True)
    checkpoint = ModelCheckpoint(dirpath=ARTIFACT_DIR, filename="best", monitor="val_loss", mode="min", save_last=True)
    trainer = L.Trainer(
        max_epochs=EPOCHS,
        accelerator="cpu",
        callbacks=[checkpoint],
        logger=CSVLogger(ARTIFACT_DIR, name="logs"),
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(Model(), datamodule=Arrays())
    spec = {"dataset_id": DATASET_ID, "version": VERSION, "additional_assets": "not_required"}
    (ARTIFACT_DIR / "spec.json").write_text(json.dumps(spec, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
