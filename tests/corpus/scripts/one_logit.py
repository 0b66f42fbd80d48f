"""Two classes with one score, labels as floats, accuracy at zero."""
import lightning as L
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

SIZE, RATE, ROUNDS = 28, 0.01, 16


class Binary(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.dense1 = nn.Linear(16, SIZE)
        self.dense2 = nn.Linear(SIZE, SIZE)
        self.score = nn.Linear(SIZE, 1)

    def forward(self, x):
        x = F.relu(self.dense1(x))
        x = F.dropout(x, p=0.2, training=self.training)
        x = F.relu(self.dense2(x))
        return self.score(x).squeeze(1)

    def training_step(self, batch, batch_idx):
        x, y = batch
        loss = F.binary_cross_entropy_with_logits(self(x), y)
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch, batch_idx):
        x, y = batch
        score = self(x)
        self.log("val_loss", F.binary_cross_entropy_with_logits(score, y))
        self.log("val_acc", ((score > 0) == (y > 0.5)).float().mean())

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=RATE, momentum=0.95, nesterov=True)


def fast_or_slow(split):
    z = np.load(f"dataset/prepdata/v1/{split}/signals.npz")
    return TensorDataset(torch.from_numpy(z["x"]), torch.from_numpy((z["y"] >= 2).astype(np.float32)))


if __name__ == "__main__":
    L.seed_everything(2)
    fit = dict(train_dataloaders=DataLoader(fast_or_slow("train"), batch_size=20, shuffle=True))
    fit["val_dataloaders"] = DataLoader(fast_or_slow("valid"), batch_size=20)
    L.Trainer(max_epochs=ROUNDS, logger=False, enable_progress_bar=False).fit(Binary(), **fit)
