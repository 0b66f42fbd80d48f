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
    return TensorDataset(torch.from_numpy(data["x"]), torch.from_numpy(data["y"]), torch.from_numpy(data["subject"]))


class Model(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(16, 32), nn.ReLU())
        self.species, self.person = nn.Linear(32, 4), nn.Linear(32, 4)

    def forward(self, x):
        hidden = self.body(x)
        return self.species(hidden), self.person(hidden)

    def losses(self, batch):
        x, y, subject = batch
        species, person = self(x)
        return F.cross_entropy(species, y) + 0.5 * F.cross_entropy(person, subject)

    def training_step(self, batch, batch_idx):
        return self.losses(batch)

    def validation_step(self, batch, batch_idx):
        self.log("val_loss", self.losses(batch))

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
