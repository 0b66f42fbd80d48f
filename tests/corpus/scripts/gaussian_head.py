"""Mean and spread of a price: two outputs, Gaussian NLL."""
import lightning as L
import pandas as pd
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class MeanAndVariance(nn.Module):
    def __init__(self, width=32):
        super().__init__()
        self.shared = nn.Sequential(nn.Linear(4, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU())
        self.mean, self.log_var = nn.Linear(width, 1), nn.Linear(width, 1)

    def forward(self, x):
        h = self.shared(x)
        return self.mean(h), self.log_var(h).exp()


class Heteroscedastic(L.LightningModule):
    def __init__(self, network, lr=3e-3):
        super().__init__()
        self.network, self.lr = network, lr

    def forward(self, x):
        return self.network(x)[0]

    def nll(self, batch):
        x, y = batch
        mean, var = self.network(x)
        return nn.functional.gaussian_nll_loss(mean, y, var)

    def training_step(self, batch, batch_idx):
        return self.nll(batch)

    def validation_step(self, batch, batch_idx):
        self.log("val_loss", self.nll(batch))
        self.log("val_mse", nn.functional.mse_loss(self(batch[0]), batch[1]))

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=self.lr, weight_decay=1e-5)


def prices(split):
    frame = pd.read_csv(f"dataset/prepdata/v1/{split}.csv").astype("float32")
    return TensorDataset(torch.from_numpy(frame.iloc[:, :4].values), torch.from_numpy(frame[["price"]].values))


if __name__ == "__main__":
    L.seed_everything(1777)
    trainer = L.Trainer(max_epochs=18, logger=False, enable_progress_bar=False)
    trainer.fit(
        Heteroscedastic(MeanAndVariance()), DataLoader(prices("train"), 32, shuffle=True), DataLoader(prices("valid"), 32)
    )
