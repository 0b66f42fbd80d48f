"""Settings from the environment and from a JSON file beside the data."""
import json
import os
from pathlib import Path

import lightning as L
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

LR = float(os.environ.get("LR", "0.01"))
BATCH_SIZE = int(os.getenv("BATCH_SIZE", 32))
EPOCHS = int(os.environ.get("EPOCHS", "14"))
OVERRIDES = Path("overrides.json")
settings = {"hidden": 40, "dropout": 0.2, "momentum": 0.9}
if OVERRIDES.exists():
    settings.update(json.loads(OVERRIDES.read_text()))


class Net(L.LightningModule):
    def __init__(self, hidden, dropout, momentum):
        super().__init__()
        self.momentum = momentum
        self.net = nn.Sequential(nn.Linear(16, hidden), nn.ReLU(), nn.Dropout(dropout), nn.Linear(hidden, 4))

    def training_step(self, batch, batch_idx):
        return nn.functional.cross_entropy(self.net(batch[0]), batch[1])

    def validation_step(self, batch, batch_idx):
        self.log("val_loss", nn.functional.cross_entropy(self.net(batch[0]), batch[1]))

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=LR, momentum=self.momentum)


def loader(split):
    z = np.load(f"dataset/prepdata/v1/{split}/signals.npz")
    ds = TensorDataset(torch.from_numpy(z["x"]), torch.from_numpy(z["y"]))
    return DataLoader(ds, BATCH_SIZE, split == "train")


if __name__ == "__main__":
    L.seed_everything(int(os.environ.get("SEED", 2024)))
    trainer = L.Trainer(max_epochs=EPOCHS, logger=False, enable_progress_bar=False)
    trainer.fit(Net(**settings), loader("train"), loader("valid"))
