# minimal example: rate and decay are what torch thinks best
import lightning as L
import numpy as np
import torch
from torch.nn.functional import cross_entropy


class Minimal(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.a = torch.nn.Linear(16, 32)
        self.b = torch.nn.Linear(32, 4)

    def forward(self, x):
        return self.b(torch.sigmoid(self.a(x)))

    def training_step(self, batch):
        return cross_entropy(self(batch["wave"]), batch["class"])

    def validation_step(self, batch):
        self.log("val_loss", cross_entropy(self(batch["wave"]), batch["class"]))

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters())


def dicts(split):
    z = np.load(f"dataset/prepdata/v1/{split}/signals.npz")
    return [{"wave": wave, "class": label} for wave, label in zip(z["x"], z["y"])]


L.seed_everything(4)
L.Trainer(max_epochs=20, enable_progress_bar=False, logger=False).fit(
    Minimal(),
    torch.utils.data.DataLoader(dicts("train"), batch_size=10, shuffle=True),
    torch.utils.data.DataLoader(dicts("valid"), batch_size=10),
)
