from __future__ import annotations

from dataclasses import dataclass

import lightning as L
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader


@dataclass
class Signal:
    values: torch.Tensor
    label: int


@dataclass
class Batch:
    values: torch.Tensor
    labels: torch.Tensor

    def __len__(self) -> int:
        return len(self.labels)

    @classmethod
    def collate(cls, signals: list[tuple]) -> Batch:
        return cls(torch.stack([s[0] for s in signals]), torch.tensor([s[1] for s in signals]))


@dataclass(frozen=True)
class Settings:
    lr: float = 0.3
    batch_size: int = 32
    hidden: int = 40
    epochs: int = 18


class Net(L.LightningModule):
    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.settings = settings
        self.hidden = nn.Linear(16, settings.hidden)
        self.output = nn.Linear(settings.hidden, 4)

    def forward(self, batch: Batch) -> torch.Tensor:
        return self.output(torch.sigmoid(self.hidden(batch.values)))

    def training_step(self, batch: Batch, batch_idx: int) -> torch.Tensor:
        return nn.functional.cross_entropy(self(batch), batch.labels)

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        self.log("val_loss", nn.functional.cross_entropy(self(batch), batch.labels), batch_size=len(batch))

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=self.settings.lr)


def signals(split: str) -> list[tuple]:
    with np.load(f"dataset/prepdata/v1/{split}/signals.npz") as arrays:
        return [(torch.from_numpy(x), int(y)) for x, y in zip(arrays["x"], arrays["y"])]


def train(settings: Settings) -> None:
    L.seed_everything(23)
    loaders = [
        DataLoader(signals(split), settings.batch_size, shuffle=split == "train", collate_fn=Batch.collate)
        for split in ("train", "valid")
    ]
    L.Trainer(max_epochs=settings.epochs, logger=False, enable_progress_bar=False).fit(Net(settings), *loaders)


if __name__ == "__main__":
    train(Settings())
