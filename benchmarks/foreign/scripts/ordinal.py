"""CORAL-like ordinal regression: K - 1 binary questions, the answer is how many are affirmed."""
import lightning.pytorch as pl
import numpy as np
import torch
import torch.nn.functional as F
from lightning.pytorch.callbacks import ModelCheckpoint
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from torchmetrics import MeanAbsoluteError

NUM_CLASSES = 4


def levels_from_labelbatch(labels, num_classes):
    return (labels[:, None] > torch.arange(num_classes - 1)).float()


def coral_loss(logits, levels):
    term = F.logsigmoid(logits) * levels + (F.logsigmoid(logits) - logits) * (1 - levels)
    return -torch.sum(term, dim=1).mean()


def proba_to_label(probas):
    return torch.sum(probas > 0.5, dim=1)


class CoralLayer(nn.Module):
    def __init__(self, size_in, num_classes):
        super().__init__()
        self.weight = nn.Linear(size_in, 1, bias=False)
        self.bias = nn.Parameter(torch.arange(num_classes - 1, 0, -1).float() / (num_classes - 1))

    def forward(self, x):
        return self.weight(x) + self.bias


class LightningMLP(pl.LightningModule):
    def __init__(self, learning_rate=2e-2):
        super().__init__()
        self.save_hyperparameters()
        self.model = nn.Sequential(nn.Linear(10, 32), nn.LeakyReLU(), CoralLayer(32, NUM_CLASSES))
        self.valid_mae = MeanAbsoluteError()

    def forward(self, x):
        return self.model(x)

    def _shared_step(self, batch):
        features, true_labels = batch
        logits = self(features)
        loss = coral_loss(logits, levels_from_labelbatch(true_labels, NUM_CLASSES))
        return loss, true_labels, proba_to_label(torch.sigmoid(logits))

    def training_step(self, batch, batch_idx):
        loss, _, _ = self._shared_step(batch)
        return loss

    def validation_step(self, batch, batch_idx):
        loss, true_labels, predicted_labels = self._shared_step(batch)
        self.log("valid_loss", loss)
        self.valid_mae(predicted_labels, true_labels)
        self.log("valid_mae", self.valid_mae, on_epoch=True, on_step=False, prog_bar=True)

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=self.hparams.learning_rate)


def load(split):
    f = np.load(f"dataset/prepdata/v1/{split}/data.npz")
    grades = np.digitize(f["y"], [10000, 14000, 18000])
    return TensorDataset(torch.tensor(f["x"]), torch.tensor(grades))


if __name__ == "__main__":
    pl.seed_everything(1)
    trainer = pl.Trainer(
        max_epochs=4, callbacks=[ModelCheckpoint(monitor="valid_mae", mode="min")], enable_progress_bar=False
    )
    trainer.fit(LightningMLP(), DataLoader(load("train"), 32, shuffle=True), DataLoader(load("valid"), 32))
