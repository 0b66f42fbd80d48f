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


def focal_loss(inputs, targets, alpha, gamma=2.0):
    log_p = F.log_softmax(inputs, dim=-1)
    ce = F.nll_loss(log_p, targets, alpha, reduction="none")
    all_rows = torch.arange(len(inputs))
    log_pt = log_p[all_rows, targets]
    return ((1 - log_pt.exp()) ** gamma * ce).mean()


class Model(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 4))
        self.register_buffer("alpha", torch.tensor([1.0, 0.5, 2.0, 1.0]))

    def forward(self, x):
        return self.net(x)

    def training_step(self, batch, batch_idx):
        return focal_loss(self(batch[0]), batch[1], self.alpha)

    def validation_step(self, batch, batch_idx):
        self.log("val_loss", focal_loss(self(batch[0]), batch[1], self.alpha))

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
