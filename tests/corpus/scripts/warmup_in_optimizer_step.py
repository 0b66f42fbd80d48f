"""The documentation's own warm-up: the rate is set in optimizer_step."""
import lightning as L
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Warm(L.LightningModule):
    def __init__(self, learning_rate=4e-3, warmup_steps=20):
        super().__init__()
        self.learning_rate, self.warmup_steps = learning_rate, warmup_steps
        self.body = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 4))

    def forward(self, x):
        return self.body(x)

    def training_step(self, batch, batch_idx):
        x, y = batch
        return nn.functional.cross_entropy(self(x), y)

    def validation_step(self, batch, batch_idx):
        x, y = batch
        self.log("val_loss", nn.functional.cross_entropy(self(x), y))

    def configure_optimizers(self):
        return torch.optim.AdamW(self.parameters(), lr=self.learning_rate)

    def optimizer_step(self, epoch, batch_idx, optimizer, optimizer_closure=None):
        optimizer.step(closure=optimizer_closure)
        if self.trainer.global_step < self.warmup_steps:
            lr_scale = min(1.0, float(self.trainer.global_step + 1) / self.warmup_steps)
            for pg in optimizer.param_groups:
                pg["lr"] = lr_scale * self.learning_rate


class Data(L.LightningDataModule):
    batch_size = 32

    def read(self, split):
        z = np.load(f"dataset/prepdata/v1/{split}/signals.npz")
        return TensorDataset(torch.from_numpy(z["x"]), torch.from_numpy(z["y"]))

    def train_dataloader(self):
        return DataLoader(self.read("train"), self.batch_size, shuffle=True)

    def val_dataloader(self):
        return DataLoader(self.read("valid"), self.batch_size)


if __name__ == "__main__":
    L.seed_everything(61)
    L.Trainer(max_epochs=12, logger=False, enable_progress_bar=False).fit(Warm(), datamodule=Data())
