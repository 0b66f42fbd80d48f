"""A base class with the steps, a family class with the optimizer, the model itself with the layers."""
import abc

import lightning.pytorch as pl
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset


class BaseTask(pl.LightningModule, abc.ABC):
    lr = 0.01
    weight_decay = 1e-3

    def __init__(self):
        super().__init__()
        self.build()

    @abc.abstractmethod
    def build(self):
        ...

    def step(self, batch):
        x, y = batch
        out = self(x)
        return F.cross_entropy(out, y), (out.argmax(1) == y).float().mean()

    def training_step(self, batch, batch_idx):
        loss, acc = self.step(batch)
        self.log("train_loss", loss)
        self.log("train_acc", acc)
        return loss

    def validation_step(self, batch, batch_idx):
        loss, acc = self.step(batch)
        self.log("val_loss", loss)
        self.log("val_acc", acc)


class SGDTask(BaseTask):
    momentum = 0.8

    def configure_optimizers(self):
        return torch.optim.SGD(
            self.parameters(), lr=self.lr, momentum=self.momentum, weight_decay=self.weight_decay, nesterov=True
        )


class Perceptron(SGDTask):
    lr = 0.02
    hidden = 64

    def build(self):
        self.fc1 = nn.Linear(16, self.hidden)
        self.fc2 = nn.Linear(self.hidden, 4)

    def forward(self, x):
        return self.fc2(F.relu(self.fc1(x)))


class Data(pl.LightningDataModule):
    batch_size = 32

    def dataset(self, split):
        z = np.load(f"dataset/prepdata/v1/{split}/signals.npz")
        return TensorDataset(torch.tensor(z["x"]), torch.tensor(z["y"]))

    def train_dataloader(self):
        return DataLoader(self.dataset("train"), batch_size=self.batch_size, shuffle=True, drop_last=True)

    def val_dataloader(self):
        return DataLoader(self.dataset("valid"), batch_size=self.batch_size)


if __name__ == "__main__":
    pl.seed_everything(2, workers=True)
    pl.Trainer(max_epochs=20, enable_progress_bar=False, logger=False).fit(Perceptron(), Data())
