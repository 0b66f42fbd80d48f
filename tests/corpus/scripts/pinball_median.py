"""Quantile regression by a pinball loss, the table standardized with training statistics."""
import csv
import math

import lightning as L
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

QUANTILE = 0.5


def rows(split):
    with open(f"dataset/prepdata/v1/{split}.csv", newline="") as handle:
        values = [[float(cell) for cell in row.values()] for row in csv.DictReader(handle)]
    return torch.tensor(values)


class Standardizer:
    def fit(self, x):
        self.mean, self.std = x.mean(0), x.std(0)
        return self

    def __call__(self, x):
        return (x - self.mean) / self.std


def pinball(prediction, target, q):
    error = target - prediction
    return torch.maximum(q * error, (q - 1) * error).mean()


class MedianRegression(L.LightningModule):
    def __init__(self, n_features: int, hidden: int, q: float, lr: float):
        super().__init__()
        self.q, self.lr = q, lr
        bound = 1 / math.sqrt(n_features)
        self.first = nn.Linear(n_features, hidden)
        nn.init.uniform_(self.first.weight, -bound, bound)
        self.second = nn.Linear(hidden, 1)

    def forward(self, x):
        return self.second(nn.functional.softplus(self.first(x))).flatten()

    def training_step(self, batch, batch_idx):
        return pinball(self(batch[0]), batch[1], self.q)

    def validation_step(self, batch, batch_idx):
        self.log("val_pinball", pinball(self(batch[0]), batch[1], self.q))

    def configure_optimizers(self):
        return torch.optim.Adagrad(self.parameters(), lr=self.lr)


if __name__ == "__main__":
    L.seed_everything(50)
    train, valid = rows("train"), rows("valid")
    scale = Standardizer().fit(train[:, :4])
    sets = [TensorDataset(scale(t[:, :4]), t[:, 4]) for t in (train, valid)]
    trainer = L.Trainer(max_epochs=20, logger=False, enable_progress_bar=False)
    trainer.fit(
        MedianRegression(4, 24, QUANTILE, lr=0.05), DataLoader(sets[0], 32, shuffle=True), DataLoader(sets[1], 32)
    )
