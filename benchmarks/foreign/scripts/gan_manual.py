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
        self.automatic_optimization = False
        self.generator = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 16))
        self.discriminator = nn.Sequential(nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 1))

    def forward(self, z):
        return self.generator(z)

    def training_step(self, batch, batch_idx):
        real, _ = batch
        first, second = self.optimizers()
        fake = self(torch.randn(len(real), 4))
        told = F.softplus(-self.discriminator(real)).mean() + F.softplus(self.discriminator(fake.detach())).mean()
        second.zero_grad()
        self.manual_backward(told)
        second.step()
        first.zero_grad()
        self.manual_backward(F.softplus(-self.discriminator(fake)).mean())
        first.step()

    def validation_step(self, batch, batch_idx):
        fake = self(torch.randn(len(batch[0]), 4))
        self.log("val_loss", F.softplus(-self.discriminator(fake)).mean())

    def configure_optimizers(self):
        return [torch.optim.Adam(each.parameters(), lr=1e-3) for each in (self.generator, self.discriminator)]


def main():
    L.seed_everything(11)
    checkpoint = ModelCheckpoint(monitor="val_loss", mode="min")
    trainer = L.Trainer(max_epochs=3, accelerator="cpu", callbacks=[checkpoint])
    trainer.fit(
        Model(), DataLoader(load("train"), batch_size=32, shuffle=True), DataLoader(load("valid"), batch_size=64)
    )


if __name__ == "__main__":
    main()
