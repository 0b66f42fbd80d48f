import numpy as np
import torch
from lightning.pytorch import LightningDataModule, LightningModule
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.cli import LightningCLI
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class TableData(LightningDataModule):
    def __init__(self, folder: str = "dataset/prepdata/v1", batch_size: int = 32):
        super().__init__()
        self.save_hyperparameters()

    def split(self, name):
        data = np.load(f"{self.hparams.folder}/{name}/data.npz")
        return TensorDataset(torch.from_numpy(data["x"]), torch.from_numpy(data["y"]))

    def train_dataloader(self):
        return DataLoader(self.split("train"), batch_size=self.hparams.batch_size, shuffle=True)

    def val_dataloader(self):
        return DataLoader(self.split("valid"), batch_size=self.hparams.batch_size)


class TableModel(LightningModule):
    def __init__(self, hidden: int = 32, lr: float = 0.01):
        super().__init__()
        self.save_hyperparameters()
        self.model = nn.Sequential(nn.Linear(16, hidden), nn.GELU(), nn.Linear(hidden, 4))
        self.loss = nn.CrossEntropyLoss()

    def forward(self, x):
        return self.model(x)

    def training_step(self, batch, batch_idx):
        return self.loss(self(batch[0]), batch[1])

    def validation_step(self, batch, batch_idx):
        self.log("val_loss", self.loss(self(batch[0]), batch[1]))

    def configure_optimizers(self):
        return torch.optim.AdamW(self.parameters(), lr=self.hparams.lr)


def cli_main():
    cli = LightningCLI(
        TableModel,
        TableData,
        seed_everything_default=3,
        trainer_defaults={"max_epochs": 3, "accelerator": "cpu", "callbacks": [ModelCheckpoint(monitor="val_loss")]},
        run=False,
        save_config_callback=None,
        args=[],
    )
    cli.trainer.fit(cli.model, datamodule=cli.datamodule)


if __name__ == "__main__":
    cli_main()
