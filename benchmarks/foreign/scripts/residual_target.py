"""Forecasts the change from the last value seen; what is reported is in the series' own unit."""
import lightning.pytorch as pl
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


class WindowDataset(Dataset):
    def __init__(self, split, lookback=36):
        series = np.load(f"dataset/prepdata/v1/{split}/data.npz")["values"]
        self.past, self.future = series[:, :lookback], series[:, lookback:]

    def __len__(self):
        return len(self.past)

    def __getitem__(self, i):
        return {"past_target": self.past[i], "future_target": self.future[i], "item_id": f"item_{i}"}


class NLinear(pl.LightningModule):
    def __init__(self, lookback=36, horizon=12):
        super().__init__()
        self.Linear = nn.Linear(lookback, horizon)

    def forward(self, past):
        return self.Linear(past - past[:, -1:])

    def training_step(self, batch, batch_idx):
        last = batch["past_target"][:, -1:].detach()
        return nn.functional.mse_loss(self(batch["past_target"]), batch["future_target"] - last)

    def validation_step(self, batch, batch_idx):
        past, future = batch["past_target"], batch["future_target"]
        last = past[:, -1:].detach()
        delta = self(past)
        self.log("val_loss", nn.functional.mse_loss(delta, future - last), batch_size=len(past))
        self.log("val_mae", (delta + last - future).abs().mean(), batch_size=len(past))

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=5e-3)


if __name__ == "__main__":
    pl.seed_everything(2021)
    checkpoint = pl.callbacks.ModelCheckpoint(monitor="val_mae")
    trainer = pl.Trainer(max_epochs=3, callbacks=[checkpoint], enable_progress_bar=False)
    trainer.fit(NLinear(), DataLoader(WindowDataset("train"), 32, shuffle=True), DataLoader(WindowDataset("valid"), 32))
