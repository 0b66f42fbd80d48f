"""The loss is looked up by name; regression on the price table."""
import lightning as L
import pandas as pd
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

LOSS = "mse"
LR = 1e-2
EPOCHS = 24


def get_loss(name):
    if name == "mse":
        return nn.MSELoss()
    if name == "l1":
        return nn.L1Loss()
    if name == "huber":
        return nn.SmoothL1Loss()
    raise ValueError(f"unknown loss {name}")


class Regressor(L.LightningModule):
    def __init__(self, loss_name, lr):
        super().__init__()
        self.criterion = get_loss(loss_name)
        self.lr = lr
        self.regressor = nn.Sequential(nn.Linear(4, 20), nn.Tanh(), nn.Linear(20, 20), nn.Tanh(), nn.Linear(20, 1))

    def forward(self, x):
        return self.regressor(x)

    def training_step(self, batch, batch_idx):
        features, target = batch
        return self.criterion(self(features), target)

    def validation_step(self, batch, batch_idx):
        features, target = batch
        prediction = self(features)
        self.log("val_loss", self.criterion(prediction, target))
        self.log("val_mae", nn.functional.l1_loss(prediction, target))

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), self.lr)


def frame(split):
    df = pd.read_csv(f"dataset/prepdata/v1/{split}.csv")
    x = torch.tensor(df.drop(columns="price").to_numpy(), dtype=torch.float32)
    return TensorDataset(x, torch.tensor(df[["price"]].to_numpy(), dtype=torch.float32))


if __name__ == "__main__":
    L.seed_everything(99)
    trainer = L.Trainer(max_epochs=EPOCHS, logger=False, enable_progress_bar=False)
    trainer.fit(
        Regressor(LOSS, LR),
        DataLoader(frame("train"), batch_size=32, shuffle=True),
        DataLoader(frame("valid"), batch_size=32),
    )
