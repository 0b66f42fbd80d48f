"""In the manner of forecasting libraries: x is a dict of encoder and decoder parts, y is (target, weight)."""
from typing import Dict, List, Tuple

import lightning.pytorch as pl
import numpy as np
import torch
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint
from torch import nn
from torch.utils.data import DataLoader, Dataset

max_encoder_length, max_prediction_length = 36, 12


class TimeSeriesDataSet(Dataset):
    def __init__(self, split: str):
        self.values = torch.from_numpy(np.load(f"dataset/prepdata/v1/{split}/data.npz")["values"])

    def __len__(self):
        return len(self.values)

    def __getitem__(self, idx) -> Tuple[Dict[str, torch.Tensor], torch.Tensor]:
        series = self.values[idx]
        encoder, decoder = series[:max_encoder_length], series[max_encoder_length:]
        center, scale = encoder.mean(), encoder.std() + 1e-8
        x = dict(
            encoder_cont=((encoder - center) / scale).unsqueeze(-1),
            target_scale=torch.stack([center, scale]),
            decoder_time_idx=torch.arange(max_prediction_length),
        )
        return x, decoder

    @staticmethod
    def collate(batch: List):
        xs, ys = zip(*batch)
        return {k: torch.stack([x[k] for x in xs]) for k in xs[0]}, (torch.stack(ys), None)

    def to_dataloader(self, train: bool, batch_size: int):
        return DataLoader(self, batch_size=batch_size, shuffle=train, drop_last=train, collate_fn=self.collate)


class RecurrentNetwork(pl.LightningModule):
    def __init__(self, hidden_size=24, learning_rate=1e-2):
        super().__init__()
        self.save_hyperparameters()
        self.rnn = nn.LSTM(1, hidden_size, batch_first=True)
        self.output_projector = nn.Linear(hidden_size, max_prediction_length)

    def forward(self, x: Dict[str, torch.Tensor]) -> Dict[str, torch.Tensor]:
        _, (hidden, _) = self.rnn(x["encoder_cont"])
        normalized = self.output_projector(hidden[-1])
        prediction = normalized * x["target_scale"][:, 1:] + x["target_scale"][:, :1]
        return {"prediction": prediction, "x": x}

    def step(self, x, y, batch_idx):
        out = self(x)
        target, weight = y
        loss = (out["prediction"] - target).abs().mean()
        return loss, out

    def training_step(self, batch, batch_idx):
        x, y = batch
        loss, _ = self.step(x, y, batch_idx)
        self.log("train_loss", loss, batch_size=len(x["encoder_cont"]))
        return loss

    def validation_step(self, batch, batch_idx):
        x, y = batch
        loss, out = self.step(x, y, batch_idx)
        error = out["prediction"] - y[0]
        self.log("val_loss", loss, batch_size=len(error))
        self.log("val_MAE", error.abs().mean(), batch_size=len(error))
        self.log("val_RMSE", error.pow(2).mean().sqrt(), batch_size=len(error))

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=self.hparams.learning_rate)


if __name__ == "__main__":
    pl.seed_everything(42)
    train_dataloader = TimeSeriesDataSet("train").to_dataloader(train=True, batch_size=32)
    val_dataloader = TimeSeriesDataSet("valid").to_dataloader(train=False, batch_size=64)
    early_stop_callback = EarlyStopping(monitor="val_loss", min_delta=1e-4, patience=10, mode="min")
    trainer = pl.Trainer(
        max_epochs=3,
        gradient_clip_val=0.1,
        limit_train_batches=30,
        callbacks=[early_stop_callback, ModelCheckpoint(monitor="val_loss")],
        enable_progress_bar=False,
    )
    trainer.fit(RecurrentNetwork(), train_dataloaders=train_dataloader, val_dataloaders=val_dataloader)
