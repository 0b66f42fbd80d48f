import lightning as L
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset


class MultiTask(Dataset):
    """Class and energy of a wave."""

    def __init__(self, split):
        z = np.load(f"dataset/prepdata/v1/{split}/signals.npz")
        self.x, self.y = z["x"], z["y"]

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        energy = np.float32((self.x[i] ** 2).mean())
        return self.x[i], (self.y[i], energy)


class TwoHeads(L.LightningModule):
    def __init__(self, hidden=48, energy_weight=0.3):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(16, hidden), nn.ReLU())
        self.class_head = nn.Linear(hidden, 4)
        self.energy_head = nn.Sequential(nn.Linear(hidden, 8), nn.ReLU(), nn.Linear(8, 1))
        self.energy_weight = energy_weight

    def forward(self, x):
        h = self.trunk(x)
        return self.class_head(h), self.energy_head(h).squeeze(-1)

    def losses(self, batch):
        x, (label, energy) = batch
        scores, predicted = self(x)
        return F.cross_entropy(scores, label), F.smooth_l1_loss(predicted, energy)

    def training_step(self, batch, batch_idx):
        classification, regression = self.losses(batch)
        loss = classification + self.energy_weight * regression
        self.log_dict({"train_loss": loss, "train_ce": classification, "train_l1": regression})
        return {"loss": loss, "ce": classification.detach()}

    def validation_step(self, batch, batch_idx):
        classification, regression = self.losses(batch)
        self.log("val_loss", classification + self.energy_weight * regression)

    def configure_optimizers(self):
        opt = torch.optim.Adam(self.parameters(), lr=3e-3)
        return opt


def run(batch_size=32, epochs=12):
    L.seed_everything(13)
    trainer = L.Trainer(max_epochs=epochs, logger=False, enable_progress_bar=False)
    trainer.fit(
        TwoHeads(),
        train_dataloaders=DataLoader(MultiTask("train"), batch_size=batch_size, shuffle=True),
        val_dataloaders=[DataLoader(MultiTask("valid"), batch_size=batch_size)],
    )


if __name__ == "__main__":
    run(epochs=80)
