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
        self.net = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 4))
        self.outputs = []

    def forward(self, x):
        return self.net(x)

    def training_step(self, batch, batch_idx):
        return F.cross_entropy(self(batch[0]), batch[1])

    def validation_step(self, batch, batch_idx):
        self.outputs.append((self(batch[0]), batch[1]))

    def on_validation_epoch_end(self):
        logits, targets = (torch.cat(parts) for parts in zip(*self.outputs))
        self.log("val_loss", F.cross_entropy(logits, targets))
        self.log("val_acc", (logits.argmax(1) == targets).float().mean())
        self.outputs.clear()

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
