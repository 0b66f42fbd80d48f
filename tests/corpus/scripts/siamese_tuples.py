"""Triplets of signals: tuples of tensors as batch, a shared encoder, a margin loss."""
from typing import NamedTuple

import lightning as L
import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset


class Triplet(NamedTuple):
    anchor: Tensor
    positive: Tensor
    negative: Tensor


class Triplets(Dataset):
    def __init__(self, split: str) -> None:
        z = np.load(f"dataset/prepdata/v1/{split}/signals.npz")
        self.x, self.y = torch.from_numpy(z["x"]), torch.from_numpy(z["y"])

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, i: int) -> Triplet:
        same = (self.y == self.y[i]).nonzero().flatten()
        other = (self.y != self.y[i]).nonzero().flatten()
        return Triplet(self.x[i], self.x[same[(i * 7) % len(same)]], self.x[other[(i * 11) % len(other)]])


class Siamese(L.LightningModule):
    margin: float = 0.5
    lr: float = 3e-3

    def __init__(self, dim: int = 8) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Linear(16, 32),
            nn.PReLU(),
            nn.Linear(32, dim),
        )

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.normalize(self.encoder(x), dim=-1)

    def _loss(self, batch: Triplet) -> Tensor:
        return nn.functional.triplet_margin_loss(*map(self, batch), margin=self.margin)

    def training_step(self, batch: Triplet, batch_idx: int) -> Tensor:
        loss = self._loss(batch)
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch: Triplet, batch_idx: int) -> None:
        self.log("val_loss", self._loss(batch))

    def configure_optimizers(self):
        return torch.optim.Adamax(self.parameters(), lr=self.lr)


if __name__ == "__main__":
    L.seed_everything(71)
    trainer = L.Trainer(max_epochs=8, logger=False, enable_progress_bar=False)
    trainer.fit(Siamese(), DataLoader(Triplets("train"), 32, shuffle=True), DataLoader(Triplets("valid"), 32))
