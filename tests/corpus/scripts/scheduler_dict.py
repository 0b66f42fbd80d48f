from pathlib import Path

import lightning as L
import numpy as np
import torch
from lightning.pytorch.callbacks import LearningRateMonitor, ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger
from torch import nn
from torch.optim.lr_scheduler import ReduceLROnPlateau
from torch.utils.data import DataLoader, TensorDataset

DATASET_ID = "v1"
VERSION = "baseline"
ARTIFACTS = Path("Models/Artifacts") / VERSION
CONFIG = {"lr": 0.05, "batch_size": 32, "epochs": 20, "patience": 2}


class Plateau(L.LightningModule):
    def __init__(self, lr):
        super().__init__()
        self.lr = lr
        self.net = nn.Sequential(nn.Flatten(), nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 4))

    def training_step(self, batch, batch_idx):
        loss = nn.functional.cross_entropy(self.net(batch[0]), batch[1])
        self.log("train_loss", loss, on_epoch=True, on_step=False)
        return loss

    def validation_step(self, batch, batch_idx):
        self.log("val_loss", nn.functional.cross_entropy(self.net(batch[0]), batch[1]))

    def configure_optimizers(self):
        optimizer = torch.optim.SGD(self.parameters(), lr=self.lr)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {
                "scheduler": ReduceLROnPlateau(optimizer, factor=0.5, patience=CONFIG["patience"]),
                "monitor": "val_loss",
                "interval": "epoch",
                "frequency": 1,
            },
        }


def dataset(split):
    with np.load(f"dataset/prepdata/{DATASET_ID}/{split}/signals.npz") as arrays:
        return TensorDataset(torch.from_numpy(arrays["x"]), torch.from_numpy(arrays["y"]))


if __name__ == "__main__":
    L.seed_everything(41)
    trainer = L.Trainer(
        max_epochs=CONFIG["epochs"],
        logger=CSVLogger(save_dir=ARTIFACTS, name="logs"),
        callbacks=[
            ModelCheckpoint(dirpath=ARTIFACTS, filename="best", monitor="val_loss", mode="min", save_last=True),
            LearningRateMonitor(logging_interval="epoch"),
        ],
        enable_progress_bar=False,
    )
    trainer.fit(
        Plateau(CONFIG["lr"]),
        DataLoader(dataset("train"), batch_size=CONFIG["batch_size"], shuffle=True),
        DataLoader(dataset("valid"), batch_size=CONFIG["batch_size"]),
    )
