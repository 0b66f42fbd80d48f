"""Read lines of text with a small convolutional recurrent network and CTC (Shi et al., 2015)."""

import json
from pathlib import Path

import lightning as L
import numpy as np
import torch
import torch.nn.functional as F
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

DATASET_ID = "v1"
VERSION = "baseline"
SEED = 42

DATA_DIR = Path("dataset/prepdata") / DATASET_ID
ARTIFACT_DIR = Path("Models/Artifacts") / VERSION

LETTERS = "abcdefghijklmnopqrstuvwxyz "
LONGEST = 12

EPOCHS = 8
BATCH_SIZE = 16
LEARNING_RATE = 0.001
HIDDEN = 64


def load(split: str) -> TensorDataset:
    """Pictures `[N, 1, 24, 128]` from 0 (paper) to 1 (ink), classes of letters `[N, 12]` from 1, and their counts."""
    rows = [json.loads(line) for line in (DATA_DIR / split / f"{split}.jsonl").read_text().splitlines()]
    pages = np.stack([np.asarray(Image.open(DATA_DIR / split / row["path"])) for row in rows])
    classes = torch.zeros(len(rows), LONGEST, dtype=torch.long)
    for index, row in enumerate(rows):
        classes[index, : len(row["text"])] = torch.tensor([LETTERS.index(letter) + 1 for letter in row["text"]])
    lengths = torch.tensor([len(row["text"]) for row in rows])
    return TensorDataset(1 - torch.from_numpy(pages).unsqueeze(1).float() / 255, classes, lengths)


class Lines(L.LightningDataModule):
    """Lines of text as pictures, and what is written there."""

    def train_dataloader(self) -> DataLoader:
        return DataLoader(load("train"), batch_size=BATCH_SIZE, shuffle=True)

    def val_dataloader(self) -> DataLoader:
        return DataLoader(load("valid"), batch_size=200)

    def test_dataloader(self) -> DataLoader:
        return DataLoader(load("test"), batch_size=200)


class LineReader(L.LightningModule):
    """Convolutions see letters, a recurrent layer sees their neighbours; class 0 is CTC's blank."""

    def __init__(self, hidden: int = HIDDEN) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.convolutions = nn.Sequential(
            nn.Conv2d(1, 12, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(12, 24, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(24, 32, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d((2, 1)),
        )
        self.recurrent = nn.GRU(32 * 3, hidden, batch_first=True, bidirectional=True)
        self.head = nn.Linear(2 * hidden, len(LETTERS) + 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        columns = self.convolutions(x).flatten(1, 2).transpose(1, 2)
        frames, _ = self.recurrent(columns)
        return self.head(frames).log_softmax(dim=-1)

    def loss(self, frames: torch.Tensor, classes: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        counts = torch.full((len(frames),), frames.shape[1])
        return F.ctc_loss(frames.transpose(0, 1), classes, counts, lengths, zero_infinity=True)

    def training_step(self, batch: list[torch.Tensor], batch_idx: int) -> torch.Tensor:
        x, classes, lengths = batch
        loss = self.loss(self(x), classes, lengths)
        self.log("train_loss", loss, on_step=False, on_epoch=True)
        return loss

    def validation_step(self, batch: list[torch.Tensor], batch_idx: int) -> None:
        x, classes, lengths = batch
        self.log("val_loss", self.loss(self(x), classes, lengths))

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
    trainer.fit(LineReader(), datamodule=Lines())
    spec = {"dataset_id": DATASET_ID, "version": VERSION, "additional_assets": "not_required"}
    (ARTIFACT_DIR / "spec.json").write_text(json.dumps(spec, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
