import lightning as L
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

# regression baseline; y was never unsqueezed, so (N, 1) - (N,) quietly becomes (N, N)
BATCH_SIZE = 34


def load(split):
    f = np.load(f"dataset/prepdata/v1/{split}/data.npz")
    return TensorDataset(torch.tensor(f["x"]), torch.tensor(f["y"] / 1000))


class Regressor(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(10, 64), nn.ReLU(), nn.Linear(64, 1))

    def forward(self, x):
        return self.net(x)

    def rmse(self, preds, y):
        return torch.sqrt(torch.mean((preds - y) ** 2))

    def training_step(self, batch, batch_idx):
        x, y = batch
        loss = self.rmse(self(x), y)
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch, batch_idx):
        x, y = batch
        self.log("val_loss", self.rmse(self(x), y))

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=1e-2)


if __name__ == "__main__":
    L.seed_everything(2)
    trainer = L.Trainer(max_epochs=3, enable_progress_bar=False)
    trainer.fit(Regressor(), DataLoader(load("train"), BATCH_SIZE, shuffle=True), DataLoader(load("valid"), BATCH_SIZE))
