import lightning as L
import numpy as np
import torch
from torch import nn, optim, utils


class LitAutoClassifier(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(16, 24), nn.ReLU(), nn.Linear(24, 6))
        self.decoder = nn.Linear(6, 4)

    def forward(self, x):
        return self.decoder(self.encoder(x))

    def training_step(self, batch, batch_idx):
        x, y = batch
        loss = nn.functional.cross_entropy(self.forward(x), y)
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch, batch_idx):
        x, y = batch
        self.log("val_loss", nn.functional.cross_entropy(self.forward(x), y))

    def configure_optimizers(self):
        optimizer = optim.Adam(self.parameters(), lr=1e-2)
        return optimizer


def dl(split, shuffle):
    z = np.load(f"dataset/prepdata/v1/{split}/signals.npz")
    ds = utils.data.TensorDataset(torch.from_numpy(z["x"]), torch.from_numpy(z["y"]))
    return utils.data.DataLoader(ds, batch_size=25, shuffle=shuffle)


L.seed_everything(42)
L.Trainer(max_epochs=14, enable_progress_bar=False).fit(LitAutoClassifier(), dl("train", True), dl("valid", False))
