"""Objects are made from `_target_` paths, as by hydra.utils.instantiate; the config is dataclasses."""
import importlib
from dataclasses import asdict, dataclass, field

import lightning as L
import numpy as np
import torch
from torch.utils.data import DataLoader, TensorDataset


def instantiate(config: dict, *args, **overrides):
    config = {**config, **overrides}
    module, _, name = config.pop("_target_").rpartition(".")
    return getattr(importlib.import_module(module), name)(*args, **config)


@dataclass
class OptimizerConfig:
    _target_: str = "torch.optim.Adam"
    lr: float = 0.004
    weight_decay: float = 0.0


@dataclass
class TrainerConfig:
    _target_: str = "lightning.Trainer"
    max_epochs: int = 12
    gradient_clip_val: float = 0.0
    enable_progress_bar: bool = False
    logger: bool = False


@dataclass
class Config:
    data_dir: str = "dataset/prepdata/v1"
    batch_size: int = 32
    widths: list = field(default_factory=lambda: [16, 64, 4])
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    trainer: TrainerConfig = field(default_factory=TrainerConfig)
    seed: int = 12345


class WaveLit(L.LightningModule):
    def __init__(self, cfg: Config):
        super().__init__()
        self.cfg = cfg
        a, b, c = cfg.widths
        self.net = torch.nn.Sequential(torch.nn.Linear(a, b), torch.nn.ReLU(), torch.nn.Linear(b, c))
        self.criterion = torch.nn.CrossEntropyLoss()

    def forward(self, x):
        return self.net(x)

    def model_step(self, batch):
        x, y = batch
        return self.criterion(self.forward(x), y)

    def training_step(self, batch, batch_idx):
        loss = self.model_step(batch)
        self.log("train/loss", loss, on_epoch=True)
        return loss

    def validation_step(self, batch, batch_idx):
        self.log("val/loss", self.model_step(batch))

    def configure_optimizers(self):
        return instantiate(asdict(self.cfg.optimizer), self.parameters())


def train(cfg: Config) -> None:
    L.seed_everything(cfg.seed, workers=True)

    def loader(split):
        z = np.load(f"{cfg.data_dir}/{split}/signals.npz")
        data = TensorDataset(torch.from_numpy(z["x"]), torch.from_numpy(z["y"]))
        return DataLoader(data, batch_size=cfg.batch_size, shuffle=split == "train")

    trainer = instantiate(asdict(cfg.trainer))
    trainer.fit(WaveLit(cfg), loader("train"), loader("valid"))


if __name__ == "__main__":
    train(Config())
