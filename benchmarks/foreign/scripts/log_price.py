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
        self.net = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 1))

    def forward(self, x):
        return self.net(x).squeeze(-1)

    def training_step(self, batch, batch_idx):
        x, y = batch
        return F.mse_loss(self(x), torch.log1p(y))

    def validation_step(self, batch, batch_idx):
        x, y = batch
        self.log("val_loss", F.mse_loss(self(x), torch.log1p(y)))

    def predict_step(self, batch, batch_idx):
        return torch.expm1(self(batch[0]))

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=1e-2)


def main():
    L.seed_everything(11)
    checkpoint = ModelCheckpoint(monitor="val_loss", mode="min")
    trainer = L.Trainer(max_epochs=3, accelerator="cpu", callbacks=[checkpoint])
    trainer.fit(
        Model(), DataLoader(load("train"), batch_size=32, shuffle=True), DataLoader(load("valid"), batch_size=64)
    )


if __name__ == "__main__":
    main()
