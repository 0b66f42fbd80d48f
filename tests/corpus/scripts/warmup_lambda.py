"""Linear warm-up, then inverse square root, stepped every batch."""
import math

import lightning as L
import numpy as np
import torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import DataLoader

MODEL_DIM, HEADS, LAYERS, WARMUP = 16, 2, 1, 40


def rate(step, model_size, factor, warmup):
    step = max(step, 1)
    return factor * (model_size ** (-0.5) * min(step ** (-0.5), step * warmup ** (-1.5)))


class Patches(torch.utils.data.Dataset):
    """A wave of 16 values as 4 patches of 4."""

    def __init__(self, split):
        z = np.load(f"dataset/prepdata/v1/{split}/signals.npz")
        self.x, self.y = torch.from_numpy(z["x"]).reshape(-1, 4, 4), torch.from_numpy(z["y"])

    def __len__(self):
        return self.y.numel()

    def __getitem__(self, i):
        return self.x[i], self.y[i]


class ViT(L.LightningModule):
    def __init__(self, dim, heads, layers, dropout=0.1):
        super().__init__()
        self.embed = nn.Linear(4, dim)
        self.position = nn.Parameter(torch.zeros(1, 4, dim))
        layer = nn.TransformerEncoderLayer(dim, heads, 2 * dim, dropout, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, layers)
        self.head = nn.Linear(dim, 4)

    def forward(self, x):
        h = self.embed(x) * math.sqrt(MODEL_DIM) + self.position
        return self.head(self.encoder(h).mean(1))

    def training_step(self, batch, batch_idx):
        loss = nn.functional.cross_entropy(self(batch[0]), batch[1])
        self.log_dict({"train_loss": loss}, prog_bar=True)
        return loss

    def validation_step(self, batch, batch_idx):
        self.log_dict({"val_loss": nn.functional.cross_entropy(self(batch[0]), batch[1])})

    def configure_optimizers(self):
        optimizer = torch.optim.Adam(self.parameters(), lr=0.5, betas=(0.9, 0.98), eps=1e-9)
        schedule = LambdaLR(optimizer, lr_lambda=lambda step: rate(step, MODEL_DIM, factor=1.0, warmup=WARMUP))
        return [optimizer], [{"scheduler": schedule, "interval": "step"}]


if __name__ == "__main__":
    L.seed_everything(2017)
    trainer = L.Trainer(max_epochs=10, gradient_clip_val=1.0, logger=False, enable_progress_bar=False)
    trainer.fit(
        ViT(MODEL_DIM, HEADS, LAYERS),
        DataLoader(Patches("train"), batch_size=32, shuffle=True),
        DataLoader(Patches("valid"), batch_size=32),
    )
