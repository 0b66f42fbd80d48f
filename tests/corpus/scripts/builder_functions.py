"""Factories for everything, chosen by name."""
import lightning as L
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

ACTIVATIONS = {"relu": nn.ReLU, "gelu": nn.GELU, "tanh": nn.Tanh}


def make_mlp(sizes, activation="relu", dropout=0.0, batch_norm=False):
    layers = []
    for n_in, n_out in zip(sizes[:-2], sizes[1:-1]):
        layers.append(nn.Linear(n_in, n_out))
        if batch_norm:
            layers.append(nn.BatchNorm1d(n_out))
        layers.append(ACTIVATIONS[activation]())
        if dropout > 0:
            layers.append(nn.Dropout(dropout))
    layers.append(nn.Linear(sizes[-2], sizes[-1]))
    return nn.Sequential(*layers)


def make_optimizer(name, parameters, lr, weight_decay=0.0):
    if name == "sgd":
        return torch.optim.SGD(parameters, lr=lr, momentum=0.9, weight_decay=weight_decay)
    if name == "adam":
        return torch.optim.Adam(parameters, lr=lr, weight_decay=weight_decay)
    raise ValueError(f"unknown optimizer: {name}")


def make_trainer(epochs, **kwargs):
    return L.Trainer(max_epochs=epochs, logger=False, enable_progress_bar=False, **kwargs)


class Task(L.LightningModule):
    def __init__(self, model, optimizer="adam", lr=1e-3, weight_decay=0.0):
        super().__init__()
        self.save_hyperparameters(ignore=["model"])
        self.model = model

    def training_step(self, batch, batch_idx):
        return nn.functional.cross_entropy(self.model(batch[0]), batch[1])

    def validation_step(self, batch, batch_idx):
        self.log("val_loss", nn.functional.cross_entropy(self.model(batch[0]), batch[1]))

    def configure_optimizers(self):
        return make_optimizer(self.hparams.optimizer, self.parameters(), self.hparams.lr, self.hparams.weight_decay)


def make_loader(split, batch_size):
    z = np.load(f"dataset/prepdata/v1/{split}/signals.npz")
    dataset = TensorDataset(torch.from_numpy(z["x"]), torch.from_numpy(z["y"]))
    return DataLoader(dataset, batch_size=batch_size, shuffle=split == "train")


if __name__ == "__main__":
    L.seed_everything(2)
    task = Task(make_mlp([16, 64, 64, 4], dropout=0.1), lr=3e-3)
    make_trainer(15).fit(task, make_loader("train", 32), make_loader("valid", 64))
