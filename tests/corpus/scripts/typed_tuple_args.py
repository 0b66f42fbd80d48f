"""Hyper-parameters as a NamedTuple; a typed command line overrides single fields."""
import sys
from typing import NamedTuple

import lightning as L
import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset


class HParams(NamedTuple):
    lr: float = 2e-3
    batch_size: int = 32
    channels: int = 10
    epochs: int = 8
    seed: int = 23

    @classmethod
    def from_argv(cls, argv: list[str]) -> "HParams":
        given = dict(argument.lstrip("-").split("=") for argument in argv)
        return cls(**{name: cls.__annotations__[name](value) for name, value in given.items()})


class BottleneckNet(L.LightningModule):
    def __init__(self, hp: HParams) -> None:
        super().__init__()
        self.hp = hp
        c = hp.channels
        self.stem = nn.Conv2d(1, c, 3, padding=1)
        self.squeeze = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(c, c), nn.Sigmoid())
        self.conv = nn.Conv2d(c, c, 3, padding=1, stride=2)
        self.head = nn.Linear(c * 36, 4)

    def forward(self, x: Tensor) -> Tensor:
        h = self.stem(x).relu()
        h = h * self.squeeze(h)[..., None, None]
        return self.head(self.conv(h).relu().flatten(1))

    def training_step(self, batch: list[Tensor], batch_idx: int) -> Tensor:
        images, labels = batch
        return nn.functional.cross_entropy(self(images), labels)

    def validation_step(self, batch: list[Tensor], batch_idx: int) -> None:
        images, labels = batch
        self.log("val_loss", nn.functional.cross_entropy(self(images), labels))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), lr=self.hp.lr)


def loader(split: str, hp: HParams) -> DataLoader:
    z = np.load(f"dataset/prepdata/v1/{split}/pictures.npz")
    data = TensorDataset(torch.from_numpy(z["images"])[:, None] / 255, torch.from_numpy(z["labels"]))
    return DataLoader(data, batch_size=hp.batch_size, shuffle=split == "train")


if __name__ == "__main__":
    hp = HParams.from_argv(sys.argv[1:])
    L.seed_everything(hp.seed)
    trainer = L.Trainer(max_epochs=hp.epochs, logger=False, enable_progress_bar=False)
    trainer.fit(BottleneckNet(hp), loader("train", hp), loader("valid", hp))
