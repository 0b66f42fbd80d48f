"""Sweep-ready: one function takes whatever hyper-parameters there are and hands them on."""
import lightning as L
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

ROOT = "dataset/prepdata/v1"


class WaveNet(L.LightningModule):
    def __init__(self, width=16, lr=1e-2, dropout=0.0, weight_decay=0.0):
        super().__init__()
        self.save_hyperparameters()
        self.layers = nn.Sequential(nn.Linear(16, width), nn.ReLU(), nn.Dropout(dropout), nn.Linear(width, 4))

    def forward(self, x):
        return self.layers(x)

    def training_step(self, batch, batch_idx):
        x, y = batch
        loss = nn.functional.cross_entropy(self(x), y)
        self.log("train/loss", loss)
        return loss

    def validation_step(self, batch, batch_idx):
        x, y = batch
        self.log("val/loss", nn.functional.cross_entropy(self(x), y))

    def configure_optimizers(self):
        return torch.optim.AdamW(
            self.parameters(), lr=self.hparams.lr, weight_decay=self.hparams.weight_decay
        )


def get_loader(split, **kwargs):
    with np.load(f"{ROOT}/{split}/signals.npz") as z:
        return DataLoader(TensorDataset(torch.as_tensor(z["x"]), torch.as_tensor(z["y"])), **kwargs)


def train_model(**kwargs):
    L.seed_everything(42)
    trainer = L.Trainer(max_epochs=16, accelerator="cpu", logger=False, enable_progress_bar=False)
    model = WaveNet(**kwargs)
    trainer.fit(model, get_loader("train", batch_size=32, shuffle=True), get_loader("valid", batch_size=64))
    return model


model = train_model(width=40, lr=4e-3, dropout=0.1, weight_decay=1e-4)
