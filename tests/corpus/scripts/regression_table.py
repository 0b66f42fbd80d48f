"""House prices from a table: standardize, fit, report the error in units of the target."""
import lightning as L
import pandas as pd
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

FEATURES = ["area", "age", "rooms", "floor"]
TARGET = "price"

train_df = pd.read_csv("dataset/prepdata/v1/train.csv")
valid_df = pd.read_csv("dataset/prepdata/v1/valid.csv")
mean, std = train_df[FEATURES].mean(), train_df[FEATURES].std()


def tensors(df):
    x = torch.tensor(((df[FEATURES] - mean) / std).values, dtype=torch.float32)
    y = torch.tensor(df[[TARGET]].values, dtype=torch.float32)
    return TensorDataset(x, y)


class PriceModel(L.LightningModule):
    def __init__(self, hidden=32, lr=1e-3, l2=1e-4):
        super().__init__()
        self.lr, self.l2 = lr, l2
        self.net = nn.Sequential(
            nn.Linear(len(FEATURES), hidden), nn.ReLU(),
            nn.Linear(hidden, hidden), nn.ReLU(),
            nn.Linear(hidden, 1),
        )
        self.loss = nn.MSELoss()

    def forward(self, x):
        return self.net(x)

    def training_step(self, batch, batch_idx):
        x, y = batch
        loss = self.loss(self(x), y)
        self.log("train_mse", loss)
        return loss

    def validation_step(self, batch, batch_idx):
        x, y = batch
        y_hat = self(x)
        self.log("val_mse", self.loss(y_hat, y))
        self.log("val_mae", (y_hat - y).abs().mean())

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=self.lr, weight_decay=self.l2)


if __name__ == "__main__":
    L.seed_everything(0)
    trainer = L.Trainer(max_epochs=150, logger=False, enable_progress_bar=False)
    trainer.fit(
        PriceModel(),
        DataLoader(tensors(train_df), batch_size=16, shuffle=True),
        DataLoader(tensors(valid_df), batch_size=96),
    )
    print(f"MAE: {trainer.callback_metrics['val_mae']:.3f}")
