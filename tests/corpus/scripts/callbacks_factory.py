"""Trainer, callbacks and loaders each come from a factory; the module is abstract above, concrete below."""
import abc
import os

import lightning as L
import numpy as np
import torch
from lightning.pytorch.callbacks import EarlyStopping, LearningRateMonitor, ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

OUTPUT = "runs"


class BaseModel(L.LightningModule, abc.ABC):
    def __init__(self, lr: float):
        super().__init__()
        self.lr = lr
        self.model = self.build_model()
        self.loss = self.build_loss()

    @abc.abstractmethod
    def build_model(self) -> nn.Module: ...

    @abc.abstractmethod
    def build_loss(self) -> nn.Module: ...

    def forward(self, x):
        return self.model(x)

    def training_step(self, batch, batch_idx):
        loss = self.loss(self(batch[0]), batch[1])
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch, batch_idx):
        self.log("val_loss", self.loss(self(batch[0]), batch[1]))

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=self.lr)


class Classifier(BaseModel):
    def build_model(self):
        return nn.Sequential(nn.Linear(16, 32), nn.Hardswish(), nn.Linear(32, 16), nn.Hardswish(), nn.Linear(16, 4))

    def build_loss(self):
        return nn.CrossEntropyLoss()


def get_callbacks(patience=4):
    callbacks = [ModelCheckpoint(os.path.join(OUTPUT, "ckpt"), filename="best", monitor="val_loss", save_last=True)]
    callbacks.append(EarlyStopping("val_loss", patience=patience))
    callbacks.append(LearningRateMonitor())
    return callbacks


def get_trainer(**overrides):
    defaults = {"max_epochs": 12, "callbacks": get_callbacks(), "logger": CSVLogger(OUTPUT), "enable_progress_bar": False}
    return L.Trainer(**{**defaults, **overrides})


def get_dataloaders(batch_size):
    loaders = {}
    for split in ("train", "valid"):
        z = np.load(f"dataset/prepdata/v1/{split}/signals.npz")
        data = TensorDataset(torch.from_numpy(z["x"]), torch.from_numpy(z["y"]))
        loaders[split] = DataLoader(data, batch_size=batch_size, shuffle=split == "train")
    return loaders["train"], loaders["valid"]


if __name__ == "__main__":
    L.seed_everything(31)
    get_trainer(gradient_clip_val=2.0).fit(Classifier(lr=6e-3), *get_dataloaders(batch_size=24))
