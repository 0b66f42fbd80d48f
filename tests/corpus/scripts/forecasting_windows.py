"""Forecast the last four values of a wave from the twelve before them; a GRU, direct multi-step."""
from dataclasses import dataclass

import lightning.pytorch as pl
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


@dataclass(frozen=True)
class Horizon:
    past: int = 12
    future: int = 4


class Windows(Dataset):
    def __init__(self, split: str, horizon: Horizon):
        self.series = np.load(f"dataset/prepdata/v1/{split}/signals.npz")["x"]
        self.horizon = horizon

    def __len__(self):
        return len(self.series)

    def __getitem__(self, i):
        series = torch.from_numpy(self.series[i])
        return series[: self.horizon.past, None], series[self.horizon.past :]


class GRUForecaster(pl.LightningModule):
    def __init__(self, horizon: Horizon, hidden_size: int = 32, num_layers: int = 1, lr: float = 5e-3):
        super().__init__()
        self.rnn = nn.GRU(1, hidden_size, num_layers, batch_first=True)
        self.projection = nn.Linear(hidden_size, horizon.future)
        self.lr = lr

    def forward(self, past):
        _, last = self.rnn(past)
        return self.projection(last[-1])

    def training_step(self, batch, batch_idx):
        past, future = batch
        loss = nn.functional.mse_loss(self(past), future)
        self.log("train_mse", loss)
        return loss

    def validation_step(self, batch, batch_idx):
        past, future = batch
        forecast = self(past)
        self.log("val_mse", nn.functional.mse_loss(forecast, future))
        self.log("val_mae", (forecast - future).abs().mean())

    def configure_optimizers(self):
        optimizer = torch.optim.Adam(self.parameters(), lr=self.lr)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {
                "scheduler": torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=3),
                "monitor": "val_mse",
            },
        }


def main(horizon=Horizon()):
    pl.seed_everything(365)
    stop = pl.callbacks.EarlyStopping(monitor="val_mse", patience=6)
    trainer = pl.Trainer(max_epochs=15, gradient_clip_val=0.1, callbacks=[stop], logger=False, enable_progress_bar=False)
    trainer.fit(
        GRUForecaster(horizon),
        DataLoader(Windows("train", horizon), batch_size=32, shuffle=True),
        DataLoader(Windows("valid", horizon), batch_size=32),
    )


if __name__ == "__main__":
    main()
