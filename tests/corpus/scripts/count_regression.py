"""Counts by a Poisson loss; the log of the rate is what the network gives."""
import lightning as L
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class PoissonNet(L.LightningModule):
    lr = 5e-3
    hidden = 24

    def __init__(self):
        super().__init__()
        self.model = nn.Sequential(nn.Linear(4, self.hidden), nn.ReLU(), nn.Linear(self.hidden, 1), nn.Flatten(0))
        self.loss = nn.PoissonNLLLoss(log_input=True)

    def forward(self, x):
        return self.model(x)

    def training_step(self, batch, batch_idx):
        return self.loss(self(batch[0]), batch[1])

    def validation_step(self, batch, batch_idx):
        self.log("val_loss", self.loss(self(batch[0]), batch[1]))

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=self.lr)


class CountData(L.LightningDataModule):
    def __init__(self, bs):
        super().__init__()
        self.bs = bs

    def setup(self, stage):
        for split in ("train", "valid"):
            t = np.loadtxt(f"dataset/prepdata/v1/{split}.csv", delimiter=",", skiprows=1, dtype=np.float32)
            counts = np.floor(np.exp(t[:, 4] / 4))
            setattr(self, split, TensorDataset(torch.from_numpy(t[:, :4]), torch.from_numpy(counts)))

    def train_dataloader(self):
        return DataLoader(self.train, self.bs, shuffle=True)

    def val_dataloader(self):
        return DataLoader(self.valid, self.bs)


if __name__ == "__main__":
    L.seed_everything(1837)
    L.Trainer(max_epochs=15, logger=False, enable_progress_bar=False).fit(PoissonNet(), CountData(bs=32))
