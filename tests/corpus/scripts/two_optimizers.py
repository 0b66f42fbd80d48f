"""Encoder and head learn at their own rates, by hand."""
import lightning as L
import numpy as np
import torch
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset

cfg = {"encoder_lr": 1e-3, "head_lr": 1e-2, "wd": 0.0, "epochs": 12}


class TwoSpeeds(L.LightningModule):
    def __init__(self, cfg):
        super().__init__()
        self.cfg = cfg
        self.automatic_optimization = False
        self.encoder = nn.Sequential(nn.Linear(16, 40), nn.ReLU(), nn.Dropout(0.1))
        self.head = nn.Linear(40, 4)
        self.ce = nn.CrossEntropyLoss()

    def forward(self, x):
        return self.head(self.encoder(x))

    def training_step(self, batch, _):
        loss = self.ce(self(batch[0]), batch[1])
        for opt in self.optimizers():
            opt.zero_grad()
        self.manual_backward(loss)
        for opt in self.optimizers():
            opt.step()
        self.log("train/loss", loss)

    def validation_step(self, batch, _):
        self.log("val/loss", self.ce(self(batch[0]), batch[1]))

    def configure_optimizers(self):
        return (
            optim.AdamW(self.encoder.parameters(), lr=self.cfg["encoder_lr"], weight_decay=self.cfg["wd"]),
            optim.SGD(self.head.parameters(), lr=self.cfg["head_lr"], momentum=0.9),
        )


def make_loader(split, train=False):
    with np.load(f"dataset/prepdata/v1/{split}/signals.npz") as f:
        ds = TensorDataset(torch.tensor(f["x"]), torch.tensor(f["y"]))
    return DataLoader(ds, batch_size=64, shuffle=train)


L.seed_everything(5, verbose=False)
L.Trainer(max_epochs=cfg["epochs"], logger=False, enable_progress_bar=False).fit(
    TwoSpeeds(cfg), make_loader("train", True), make_loader("valid")
)
