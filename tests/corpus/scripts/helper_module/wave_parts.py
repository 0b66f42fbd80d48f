import lightning as L
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def make_network(hidden, dropout):
    return nn.Sequential(nn.Linear(16, hidden), nn.ReLU(), nn.Dropout(dropout), nn.Linear(hidden, 4))


def loss(scores, targets):
    return nn.functional.cross_entropy(scores, targets)


def accuracy(scores, targets):
    return (scores.argmax(1) == targets).float().mean()


class WaveData(L.LightningDataModule):
    def __init__(self, batch_size):
        super().__init__()
        self.batch_size = batch_size

    def load(self, split):
        arrays = np.load(f"dataset/prepdata/v1/{split}/signals.npz")
        return TensorDataset(torch.from_numpy(arrays["x"]), torch.from_numpy(arrays["y"]))

    def train_dataloader(self):
        return DataLoader(self.load("train"), batch_size=self.batch_size, shuffle=True)

    def val_dataloader(self):
        return DataLoader(self.load("valid"), batch_size=self.batch_size)
