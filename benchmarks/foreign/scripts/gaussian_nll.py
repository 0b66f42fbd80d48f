import lightning as L
import numpy as np
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset


def make_loader(split, bs=32):
    f = np.load(f"dataset/prepdata/v1/{split}/data.npz")
    y = (f["y"] / 1000.0).astype(np.float32)
    return DataLoader(TensorDataset(torch.tensor(f["x"]), torch.tensor(y)[:, None]), bs, shuffle=split == "train")


class HeteroscedasticMLP(L.LightningModule):
    """Predicts a mean and its uncertainty."""

    def __init__(self, hidden=48):
        super().__init__()
        self.shared = nn.Sequential(nn.Linear(10, hidden), nn.SiLU())
        self.mu, self.log_var = nn.Linear(hidden, 1), nn.Linear(hidden, 1)
        nn.init.constant_(self.mu.bias, 14.0)

    def forward(self, x):
        h = self.shared(x)
        return self.mu(h), self.log_var(h).exp()

    def training_step(self, batch, batch_idx):
        x, y = batch
        mean, var = self(x)
        return F.gaussian_nll_loss(mean, y, var)

    def validation_step(self, batch, batch_idx):
        x, y = batch
        mean, var = self(x)
        self.log("val_nll", F.gaussian_nll_loss(mean, y, var))
        self.log("val_mae", F.l1_loss(mean, y))

    def predict_step(self, batch, batch_idx):
        mean, var = self(batch[0])
        return {"mean": mean.squeeze(1), "std": var.sqrt().squeeze(1)}

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=1e-2)


if __name__ == "__main__":
    L.seed_everything(15)
    trainer = L.Trainer(max_epochs=4, callbacks=[ModelCheckpoint(monitor="val_nll")], enable_progress_bar=False)
    trainer.fit(HeteroscedasticMLP(), make_loader("train"), make_loader("valid"))
