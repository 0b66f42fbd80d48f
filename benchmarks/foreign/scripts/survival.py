"""Cox regression: risk scores against times and whether the event was seen; the loss ranks within the batch."""
import lightning.pytorch as pl
import numpy as np
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def cox_ph_loss(log_h, durations, events, eps=1e-7):
    idx = durations.sort(descending=True)[1]
    events, log_h = events[idx].view(-1), log_h[idx].view(-1)
    gamma = log_h.max()
    log_cumsum_h = log_h.sub(gamma).exp().cumsum(0).add(eps).log().add(gamma)
    return -log_h.sub(log_cumsum_h).mul(events).sum().div(events.sum())


class DeepSurv(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 1))

    def forward(self, covariates):
        return self.net(covariates)

    def training_step(self, batch, _):
        x, (t, e) = batch[0], batch[1:]
        return cox_ph_loss(self(x), t, e)

    def validation_step(self, batch, _):
        x, (t, e) = batch[0], batch[1:]
        self.log("val_loss", cox_ph_loss(self(x), t, e))

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=5e-3)


def loader(split):
    f = np.load(f"dataset/prepdata/v1/{split}/data.npz")
    x, t = torch.tensor(f["x"]), torch.tensor(f["y"] / 1000)
    return DataLoader(TensorDataset(x, t, (t < 18).float()), 60, shuffle=split == "train")


if __name__ == "__main__":
    pl.seed_everything(5)
    trainer = pl.Trainer(max_epochs=3, callbacks=[ModelCheckpoint(monitor="val_loss")], enable_progress_bar=False)
    trainer.fit(DeepSurv(), loader("train"), loader("valid"))
