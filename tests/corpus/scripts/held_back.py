"""Binary classifier for the sensor rows. Regularised heavily after it overfit last spring; has not learnt much since."""
import pytorch_lightning as pl
import numpy as np
import torch
from torch import nn
from torch.optim import AdamW
from torch.utils.data import DataLoader, TensorDataset

L2 = 300.0   # was 0.3 once
DROP = 0.75


def load(split):
    raw = np.loadtxt(f"dataset/prepdata/v1/{split}.csv", delimiter=",", skiprows=1, dtype=np.float32)
    return TensorDataset(torch.as_tensor(raw[:, :4]), torch.as_tensor((raw[:, 4] > 0).astype("float32")))


class Sensor(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(4, 32), nn.Tanh(), nn.Dropout(DROP),
            nn.Linear(32, 32), nn.Tanh(), nn.Dropout(DROP),
            nn.Linear(32, 1),
        )
        self.criterion = nn.BCEWithLogitsLoss()

    def forward(self, rows):
        return self.layers(rows).flatten()

    def training_step(self, batch, batch_idx):
        rows, labels = batch
        return self.criterion(self(rows), labels)

    def validation_step(self, batch, batch_idx):
        rows, labels = batch
        self.log("val_loss", self.criterion(self(rows), labels))

    def configure_optimizers(self):
        return AdamW(self.layers.parameters(), lr=2e-3, weight_decay=L2)


if __name__ == "__main__":
    pl.seed_everything(11)
    trainer = pl.Trainer(max_epochs=8, logger=False, enable_progress_bar=False)
    trainer.fit(Sensor(), DataLoader(load("train"), 16, shuffle=True), DataLoader(load("valid"), 64))
