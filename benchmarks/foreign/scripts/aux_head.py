"""Inception habit: an auxiliary head adds to the loss, in validation too."""
import lightning.pytorch as pl
import numpy as np
import torch
import torch.nn.functional as F
from lightning.pytorch.callbacks import ModelCheckpoint
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def ds(split):
    d = np.load("dataset/prepdata/v1/%s/data.npz" % split)
    return TensorDataset(torch.tensor(d["x"], dtype=torch.float)[:, None] / 16, torch.tensor(d["y"]))


class MiniInception(nn.Module):
    def __init__(self):
        super().__init__()
        self.stage1 = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU())
        self.AuxLogits = nn.Linear(8, 10)
        self.stage2 = nn.Sequential(nn.Conv2d(8, 16, 3, stride=2, padding=1), nn.ReLU(), nn.Flatten())
        self.fc = nn.Linear(16 * 16, 10)

    def forward(self, x):
        x = self.stage1(x)
        aux = self.AuxLogits(x.mean((2, 3)))
        return self.fc(self.stage2(x)), aux


class Lit(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.model = MiniInception()

    def forward(self, x):
        return self.model(x)

    def step(self, batch, tag):
        x, y = batch
        out, aux = self(x)
        loss = F.cross_entropy(out, y) + 0.4 * F.cross_entropy(aux, y)
        self.log(f"{tag}_loss", loss)
        self.log(f"{tag}_acc", (out.argmax(1) == y).float().mean())
        return loss

    def training_step(self, batch, _):
        return self.step(batch, "train")

    def validation_step(self, batch, _):
        return self.step(batch, "val")

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), 5e-3)


if __name__ == "__main__":
    pl.seed_everything(10)
    trainer = pl.Trainer(max_epochs=2, callbacks=[ModelCheckpoint(monitor="val_acc", mode="max")], enable_progress_bar=False)
    trainer.fit(Lit(), DataLoader(ds("train"), 32, shuffle=True), DataLoader(ds("valid"), 32))
