import lightning.pytorch as pl
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset


class NpzDataset(Dataset):
    def __init__(self, path):
        self.file = dict(np.load(path))

    def __getitem__(self, item):
        return torch.tensor(self.file["x"][item]), int(self.file["y"][item])

    def __len__(self):
        return self.file["y"].size


class LitClassifier(pl.LightningModule):
    """The optimizer is a class, to be tried with others."""

    def __init__(self, hidden_size, learning_rate=3e-3, optimizer=torch.optim.Adam):
        super().__init__()
        self.lr = learning_rate
        self.optimizer = optimizer
        self.l1 = nn.Linear(16, hidden_size)
        self.l2 = nn.Linear(hidden_size, 4)

    def forward(self, x):
        return self.l2(F.elu(self.l1(x)))

    def training_step(self, batch, batch_idx):
        x, y = batch
        return F.cross_entropy(self(x), y)

    def validation_step(self, batch, batch_idx):
        x, y = batch
        y_hat = self(x)
        self.log("valid_loss", F.cross_entropy(y_hat, y), prog_bar=True)
        self.log("valid_acc", (y_hat.argmax(-1) == y).float().mean())

    def configure_optimizers(self):
        return self.optimizer(self.parameters(), lr=self.lr)


if __name__ == "__main__":
    pl.seed_everything(0)
    train_dl = DataLoader(NpzDataset("dataset/prepdata/v1/train/signals.npz"), batch_size=16, shuffle=True)
    val_dl = DataLoader(NpzDataset("dataset/prepdata/v1/valid/signals.npz"), batch_size=16)
    pl.Trainer(max_epochs=9, enable_progress_bar=False).fit(LitClassifier(32), train_dl, val_dl)
