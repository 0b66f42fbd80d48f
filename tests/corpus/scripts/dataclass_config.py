"""Everything that can be set is in one dataclass, with one inside it."""
from dataclasses import asdict, dataclass, field

import lightning as L
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.optim import AdamW
from torch.utils.data import DataLoader, TensorDataset


@dataclass
class OptimConfig:
    lr: float = 2e-3
    weight_decay: float = 0.05
    betas: tuple = (0.9, 0.95)


@dataclass
class ModelConfig:
    d_in: int = 16
    d_hidden: int = 64
    d_out: int = 4
    dropout: float = 0.0


@dataclass
class Config:
    model: ModelConfig = field(default_factory=ModelConfig)
    optim: OptimConfig = field(default_factory=OptimConfig)
    batch_size: int = 64
    max_epochs: int = 40
    seed: int = 1337


class MLP(nn.Module):
    def __init__(self, config: ModelConfig):
        super().__init__()
        self.c_fc = nn.Linear(config.d_in, config.d_hidden)
        self.gelu = nn.GELU()
        self.c_proj = nn.Linear(config.d_hidden, config.d_out)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x):
        x = self.c_fc(x)
        x = self.gelu(x)
        x = self.dropout(x)
        return self.c_proj(x)


class LitMLP(L.LightningModule):
    def __init__(self, config: Config):
        super().__init__()
        self.config = config
        self.save_hyperparameters(asdict(config))
        self.mlp = MLP(config.model)

    def training_step(self, batch, batch_idx):
        x, y = batch
        loss = F.cross_entropy(self.mlp(x), y)
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch, batch_idx):
        x, y = batch
        self.log("val_loss", F.cross_entropy(self.mlp(x), y))

    def configure_optimizers(self):
        o = self.config.optim
        return AdamW(self.parameters(), lr=o.lr, weight_decay=o.weight_decay, betas=o.betas)


def get_loader(split: str, config: Config) -> DataLoader:
    npz = np.load(f"dataset/prepdata/v1/{split}/signals.npz")
    ds = TensorDataset(torch.from_numpy(npz["x"]), torch.from_numpy(npz["y"]))
    return DataLoader(ds, batch_size=config.batch_size, shuffle=split == "train")


if __name__ == "__main__":
    config = Config()
    L.seed_everything(config.seed)
    trainer = L.Trainer(max_epochs=config.max_epochs, logger=False, enable_progress_bar=False)
    trainer.fit(LitMLP(config), get_loader("train", config), get_loader("valid", config))
