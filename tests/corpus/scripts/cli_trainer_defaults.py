"""LightningCLI without a subcommand: `python cli_trainer_defaults.py [--trainer.max_epochs 5]`."""

import numpy as np
import torch
from lightning.pytorch import LightningDataModule, LightningModule
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.cli import LightningCLI
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Waves(LightningDataModule):
    def __init__(self, root: str = "dataset/prepdata/v1", batch_size: int = 32, num_workers: int = 0):
        super().__init__()
        self.root, self.batch_size, self.num_workers = root, batch_size, num_workers

    def _split(self, name: str) -> TensorDataset:
        data = np.load(f"{self.root}/{name}/signals.npz")
        return TensorDataset(torch.from_numpy(data["x"]), torch.from_numpy(data["y"]))

    def train_dataloader(self):
        return DataLoader(self._split("train"), self.batch_size, shuffle=True, num_workers=self.num_workers)

    def val_dataloader(self):
        return DataLoader(self._split("valid"), self.batch_size, num_workers=self.num_workers)


class Classifier(LightningModule):
    def __init__(self, hidden: int = 32, learning_rate: float = 0.01, momentum: float = 0.9):
        super().__init__()
        self.save_hyperparameters()
        self.net = nn.Sequential(
            nn.Linear(16, hidden),
            nn.Tanh(),
            nn.Linear(hidden, 4),
        )

    def forward(self, x):
        return self.net(x)

    def training_step(self, batch, batch_idx):
        loss = nn.functional.cross_entropy(self(batch[0]), batch[1])
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch, batch_idx):
        self.log("val_loss", nn.functional.cross_entropy(self(batch[0]), batch[1]))

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=self.hparams.learning_rate, momentum=self.hparams.momentum)


def main():
    cli = LightningCLI(
        Classifier,
        Waves,
        seed_everything_default=42,
        trainer_defaults={
            "max_epochs": 20,
            "accelerator": "cpu",
            "enable_progress_bar": False,
            "callbacks": [ModelCheckpoint(monitor="val_loss", filename="best", save_last=True)],
            "default_root_dir": "Models/Artifacts/baseline",
        },
        save_config_callback=None,
        run=False,
    )
    cli.trainer.fit(cli.model, datamodule=cli.datamodule)


if __name__ == "__main__":
    main()
