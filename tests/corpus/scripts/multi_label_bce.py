"""Several labels at once: which features of a house are above their mean."""
import lightning as L
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

NUM_LABELS = 3


def read(split):
    table = np.genfromtxt(f"dataset/prepdata/v1/{split}.csv", delimiter=",", names=True)
    x = np.stack([table[c] for c in ("area", "age", "rooms", "floor")], axis=1).astype(np.float32)
    y = np.stack([table["price"] > 0, x[:, 0] * x[:, 1] > 0, x[:, 2] > 0.5], axis=1).astype(np.float32)
    return TensorDataset(torch.from_numpy(x), torch.from_numpy(y))


class MultiLabel(L.LightningModule):
    def __init__(self, hidden=(32, 16), lr=1e-2, threshold=0.5):
        super().__init__()
        self.save_hyperparameters()
        self.stack = nn.Sequential(
            nn.Linear(4, hidden[0]), nn.ReLU(), nn.Linear(hidden[0], hidden[1]), nn.ReLU(), nn.Linear(hidden[1], NUM_LABELS)
        )
        self.bce = nn.BCEWithLogitsLoss()

    def forward(self, x):
        return self.stack(x)

    def training_step(self, batch, batch_idx):
        x, y = batch
        return self.bce(self(x), y)

    def validation_step(self, batch, batch_idx):
        x, y = batch
        logits = self(x)
        self.log("val_loss", self.bce(logits, y))
        self.log("val_exact", ((logits.sigmoid() > self.hparams.threshold) == y.bool()).all(1).float().mean())

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=self.hparams.lr)


if __name__ == "__main__":
    L.seed_everything(77)
    L.Trainer(max_epochs=12, logger=False, enable_progress_bar=False).fit(
        MultiLabel(), DataLoader(read("train"), 32, shuffle=True), DataLoader(read("valid"), 96)
    )
