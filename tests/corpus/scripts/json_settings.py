"""Settings as a JSON document within the script; a helper class reads them with defaults."""
import json

import numpy as np
import torch
from lightning.pytorch import LightningModule, Trainer, seed_everything
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

SETTINGS = json.loads("""
{
    "learning_rate": 0.006,
    "batch_size": 32,
    "epochs": 11,
    "hidden_layers": [32, 32],
    "dropout_probability": 0.15
}
""")


class Settings:
    def __init__(self, values):
        self.values = values

    def get(self, name, default=None):
        return self.values.get(name, default)


class DeepNet(LightningModule):
    def __init__(self, settings):
        super().__init__()
        self.settings = settings
        self.blocks = nn.ModuleList()
        width = 16
        for hidden in settings.get("hidden_layers"):
            self.blocks.append(nn.Sequential(nn.Linear(width, hidden), nn.SELU()))
            width = hidden
        self.dropout = nn.AlphaDropout(settings.get("dropout_probability", 0.0))
        self.last = nn.Linear(width, 4)

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return self.last(self.dropout(x))

    def training_step(self, batch, batch_idx):
        signals, classes = batch
        return nn.functional.cross_entropy(input=self(signals), target=classes)

    def validation_step(self, batch, batch_idx):
        signals, classes = batch
        self.log("val_loss", nn.functional.cross_entropy(input=self(signals), target=classes))

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=self.settings.get("learning_rate", 1e-3))


def tensors(split):
    z = np.load(f"dataset/prepdata/v1/{split}/signals.npz")
    return TensorDataset(torch.from_numpy(z["x"]), torch.from_numpy(z["y"]))


if __name__ == "__main__":
    seed_everything(404)
    settings = Settings(SETTINGS)
    trainer = Trainer(max_epochs=settings.get("epochs"), logger=False, enable_progress_bar=False)
    trainer.fit(
        DeepNet(settings),
        DataLoader(tensors("train"), batch_size=settings.get("batch_size"), shuffle=True),
        DataLoader(tensors("valid"), batch_size=settings.get("batch_size")),
    )
