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
    return TensorDataset(torch.from_numpy(data["values"]))


class Model(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.net = nn.Linear(36, 36)

    def forward(self, past):
        return self.net(past).view(-1, 12, 3)

    def pinball(self, batch):
        (series,) = batch
        quantiles = torch.tensor([0.1, 0.5, 0.9])
        error = series[:, 36:, None] - self(series[:, :36])
        return torch.maximum(quantiles * error, (quantiles - 1) * error).mean()

    def training_step(self, batch, batch_idx):
        return self.pinball(batch)

    def validation_step(self, batch, batch_idx):
        self.log("val_loss", self.pinball(batch))

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
