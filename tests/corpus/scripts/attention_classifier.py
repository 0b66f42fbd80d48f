import math

import lightning as L
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset


class SelfAttention(nn.Module):
    def __init__(self, dim, heads, dropout):
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x):
        b, t, d = x.shape
        q, k, v = (
            part.view(b, t, self.heads, d // self.heads).transpose(1, 2) for part in self.qkv(x).chunk(3, dim=-1)
        )
        y = F.scaled_dot_product_attention(q, k, v, dropout_p=self.dropout if self.training else 0.0)
        return self.proj(y.transpose(1, 2).reshape(b, t, d))


class Block(nn.Module):
    def __init__(self, dim, heads, dropout, expansion=2):
        super().__init__()
        self.ln_1 = nn.LayerNorm(dim)
        self.attn = SelfAttention(dim, heads, dropout)
        self.ln_2 = nn.LayerNorm(dim)
        self.mlp = nn.Sequential(
            nn.Linear(dim, expansion * dim),
            nn.GELU(),
            nn.Linear(expansion * dim, dim),
            nn.Dropout(dropout),
        )

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class Classifier(L.LightningModule):
    def __init__(self, dim=32, heads=4, depth=2, dropout=0.1, lr=1e-3, weight_decay=0.1):
        super().__init__()
        self.save_hyperparameters()
        self.embed = nn.Linear(2, dim)
        self.position = nn.Parameter(torch.randn(1, 8, dim) / math.sqrt(dim))
        self.blocks = nn.ModuleList([Block(dim, heads, dropout) for _ in range(depth)])
        self.head = nn.Linear(dim, 4)

    def forward(self, x):
        x = self.embed(x.view(-1, 8, 2)) + self.position
        for block in self.blocks:
            x = block(x)
        return self.head(x.mean(1))

    def training_step(self, batch, _):
        x, y = batch
        loss = F.cross_entropy(self(x), y)
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch, _):
        x, y = batch
        self.log("val_loss", F.cross_entropy(self(x), y))

    def configure_optimizers(self):
        return torch.optim.AdamW(
            self.parameters(), lr=self.hparams.lr, weight_decay=self.hparams.weight_decay, betas=(0.9, 0.95)
        )


def read(split):
    z = np.load(f"dataset/prepdata/v1/{split}/signals.npz")
    return TensorDataset(torch.from_numpy(z["x"]), torch.from_numpy(z["y"]))


L.seed_everything(21)
model = Classifier()
trainer = L.Trainer(max_epochs=8, logger=False, enable_progress_bar=False, gradient_clip_val=1.0)
trainer.fit(model, DataLoader(read("train"), 32, shuffle=True), DataLoader(read("valid"), 96))
