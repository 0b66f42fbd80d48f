import lightning as L
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class LitModule(L.LightningModule):
    """Any network, any loss function."""

    def __init__(self, net, loss_fn=F.cross_entropy, lr=1e-3):
        super().__init__()
        self.net = net
        self.loss_fn = loss_fn
        self.lr = lr

    def forward(self, x):
        return self.net(x)

    def training_step(self, batch, batch_idx):
        x, y = batch
        loss = self.loss_fn(self.net(x), y)
        self.log("train_loss", loss, prog_bar=True)
        return loss

    def validation_step(self, batch, batch_idx):
        x, y = batch
        self.log("val_loss", self.loss_fn(self.net(x), y), prog_bar=True)

    def configure_optimizers(self):
        return torch.optim.Adam(self.net.parameters(), lr=self.lr)


def load(split):
    data = np.load("dataset/prepdata/v1/%s/signals.npz" % split)
    return TensorDataset(torch.Tensor(data["x"]), torch.LongTensor(data["y"]))


net = nn.Sequential(
    nn.Linear(16, 64),
    nn.BatchNorm1d(64),
    nn.ReLU(),
    nn.Linear(64, 4),
)

if __name__ == "__main__":
    L.seed_everything(7)
    lit = LitModule(net, loss_fn=F.cross_entropy, lr=5e-3)
    trainer = L.Trainer(max_epochs=11, logger=False, enable_progress_bar=False)
    trainer.fit(lit, DataLoader(load("train"), batch_size=64, shuffle=True), DataLoader(load("valid"), batch_size=64))
