"""A nested config read by attribute, defaults merged with an experiment's own values (OmegaConf-like)."""
import lightning as L
import numpy as np
import torch
import yaml
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

DEFAULTS = """
data: {root: dataset/prepdata/v1, batch_size: 16}
model: {hidden: 32, dropout: 0.0}
optim: {lr: 0.001, momentum: 0.9}
trainer: {max_epochs: 10}
seed: 0
"""
EXPERIMENT = """
model: {dropout: 0.1}
optim: {lr: 0.02}
trainer: {max_epochs: 15}
"""


class DictConfig(dict):
    def __getattr__(self, key):
        try:
            value = self[key]
        except KeyError as error:
            raise AttributeError(key) from error
        return DictConfig(value) if isinstance(value, dict) else value


def merge(base, other):
    out = DictConfig(base)
    for key, value in other.items():
        out[key] = merge(out.get(key, {}), value) if isinstance(value, dict) else value
    return out


class Model(L.LightningModule):
    def __init__(self, cfg):
        super().__init__()
        self.cfg = cfg
        self.fc1 = nn.Linear(16, cfg.model.hidden)
        self.act = nn.Mish()
        self.drop = nn.Dropout(cfg.model.dropout)
        self.fc2 = nn.Linear(cfg.model.hidden, 4)

    def forward(self, x):
        return self.fc2(self.drop(self.act(self.fc1(x))))

    def training_step(self, batch, batch_idx):
        return nn.functional.cross_entropy(self(batch[0]), batch[1])

    def validation_step(self, batch, batch_idx):
        self.log("val_loss", nn.functional.cross_entropy(self(batch[0]), batch[1]))

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), **self.cfg.optim)


def loader(cfg, split):
    z = np.load(f"{cfg.data.root}/{split}/signals.npz")
    data = TensorDataset(torch.from_numpy(z["x"]), torch.from_numpy(z["y"]))
    return DataLoader(data, batch_size=cfg.data.batch_size, shuffle=split == "train")


if __name__ == "__main__":
    cfg = merge(DictConfig(yaml.safe_load(DEFAULTS)), yaml.safe_load(EXPERIMENT))
    L.seed_everything(cfg.seed)
    trainer = L.Trainer(**cfg.trainer, logger=False, enable_progress_bar=False)
    trainer.fit(Model(cfg), loader(cfg, "train"), loader(cfg, "valid"))
