import lightning as L
import numpy as np
import torch
import torch.nn.functional as F
from lightning.pytorch.callbacks import ModelCheckpoint
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

PATH = "dataset/prepdata/v1"


def load(split):
    data = np.load(f"{PATH}/{split}/data.npz")
    return TensorDataset(torch.from_numpy(data["x"]), torch.from_numpy(data["y"]))


class Model(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.backbone, self.head = nn.Sequential(nn.Linear(16, 32), nn.ReLU()), nn.Linear(32, 4)

    def forward(self, x):
        return self.head(self.backbone(x))

    def training_step(self, batch, batch_idx):
        return F.cross_entropy(self(batch[0]), batch[1])

    def validation_step(self, batch, batch_idx):
        self.log("val_loss", F.cross_entropy(self(batch[0]), batch[1]))

    def configure_optimizers(self):
        return torch.optim.Adam([p for p in self.parameters() if p.requires_grad], lr=5e-3)


def main():
    L.seed_everything(2)
    model, loaders = Model(), (DataLoader(load("train"), 32, shuffle=True), DataLoader(load("valid"), 64))
    model.backbone.requires_grad_(False)
    warm_up = L.Trainer(max_epochs=1, accelerator="cpu", callbacks=[ModelCheckpoint(monitor="val_loss")])
    warm_up.fit(model, *loaders)
    model.backbone.requires_grad_(True)
    trainer = L.Trainer(max_epochs=2, accelerator="cpu", callbacks=[ModelCheckpoint(monitor="val_loss")])
    trainer.fit(model, *loaders)


if __name__ == "__main__":
    main()
