from __future__ import annotations

from dataclasses import dataclass

import lightning.pytorch as pl
import numpy as np
import torch
import torch.nn.functional as F
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger
from torch.utils.data import DataLoader, Dataset

VERSION = "baseline"
DATASET_ID = "v1"


@dataclass
class Example:
    sensor: torch.Tensor
    activity: int
    weight: float


@dataclass
class Batch:
    ids: torch.Tensor
    sensor: torch.Tensor
    activity: torch.Tensor
    weight: torch.Tensor

    @classmethod
    def collate(cls, examples: list[tuple[int, Example]]) -> Batch:
        return cls(
            ids=torch.tensor([i for i, _ in examples]),
            sensor=torch.stack([e.sensor for _, e in examples]),
            activity=torch.tensor([e.activity for _, e in examples]),
            weight=torch.tensor([e.weight for _, e in examples]),
        )


class Activities(Dataset):
    def __init__(self, split: str):
        raw = np.load(f"dataset/prepdata/{DATASET_ID}/{split}/data.npz")
        self.examples = [
            Example(torch.from_numpy(x), int(y), 0.5 + float(s)) for x, y, s in zip(raw["x"], raw["y"], raw["subject"])
        ]

    def __len__(self) -> int:
        return len(self.examples)

    def __getitem__(self, index: int) -> tuple[int, Example]:
        return index, self.examples[index]


class Recognizer(pl.LightningModule):
    """Samples are weighted by how much their annotator is trusted."""

    def __init__(self, width: int = 40, learning_rate: float = 1e-2) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.layers = torch.nn.ModuleList([torch.nn.Linear(16, width), torch.nn.Linear(width, 4)])

    def forward(self, sensor: torch.Tensor) -> torch.Tensor:
        return self.layers[1](torch.tanh(self.layers[0](sensor)))

    def _loss(self, batch: Batch) -> torch.Tensor:
        each = F.cross_entropy(self(batch.sensor), batch.activity, reduction="none")
        return (each * batch.weight).sum() / batch.weight.sum()

    def training_step(self, batch: Batch, batch_idx: int) -> torch.Tensor:
        loss = self._loss(batch)
        self.log("train_loss", loss, batch_size=len(batch.ids))
        return loss

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        self.log("val_loss", self._loss(batch), batch_size=len(batch.ids))
        hits = (self(batch.sensor).argmax(-1) == batch.activity).float().mean()
        self.log("val_accuracy", hits, batch_size=len(batch.ids))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), lr=self.hparams.learning_rate)


def main() -> None:
    pl.seed_everything(0)
    train = DataLoader(Activities("train"), 24, shuffle=True, collate_fn=Batch.collate)
    valid = DataLoader(Activities("valid"), 50, collate_fn=Batch.collate)
    out = f"Models/Artifacts/{VERSION}"
    trainer = pl.Trainer(
        max_epochs=3,
        logger=CSVLogger(out, name="logs"),
        callbacks=[ModelCheckpoint(out, filename="best", monitor="val_loss")],
    )
    trainer.fit(Recognizer(), train, valid)


if __name__ == "__main__":
    main()
