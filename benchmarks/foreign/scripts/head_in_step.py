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
        self.backbone = nn.Sequential(nn.Linear(16, 24), nn.ReLU())
        self.head = nn.Linear(24, 4)
        self.temperature = 2.0

    def forward(self, x):
        return self.backbone(x)

    def _shared_step(self, batch, stage):
        x, y = batch
        logits = self.head(self(x)) / self.temperature
        loss = F.cross_entropy(logits, y)
        self.log_dict({f"{stage}_loss": loss, f"{stage}_acc": (logits.argmax(-1) == y).float().mean()})
        return loss

    def training_step(self, batch, batch_idx):
        return self._shared_step(batch, "train")

    def validation_step(self, batch, batch_idx):
        self._shared_step(batch, "val")

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
