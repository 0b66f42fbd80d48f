from lightning.pytorch.cli import ArgsType, LightningCLI

import lightning as L
import numpy as np
import torch
from torch.utils.data import DataLoader, TensorDataset


class ConvModule(L.LightningModule):
    def __init__(self, channels: int = 12, kernel: int = 5, lr: float = 0.003, gamma: float = 0.97):
        super().__init__()
        self.save_hyperparameters()
        self.conv = torch.nn.Conv1d(1, channels, kernel, padding=kernel // 2)
        self.bn = torch.nn.BatchNorm1d(channels)
        self.fc = torch.nn.Linear(channels, 4)

    def forward(self, x):
        h = torch.relu(self.bn(self.conv(x[:, None])))
        return self.fc(h.amax(-1))

    def training_step(self, batch, batch_idx):
        return torch.nn.functional.cross_entropy(self(batch[0]), batch[1])

    def validation_step(self, batch, batch_idx):
        self.log("val_loss", torch.nn.functional.cross_entropy(self(batch[0]), batch[1]))

    def configure_optimizers(self):
        optimizer = torch.optim.NAdam(self.parameters(), lr=self.hparams.lr)
        return [optimizer], [torch.optim.lr_scheduler.ExponentialLR(optimizer, self.hparams.gamma)]


class Waves(L.LightningDataModule):
    def __init__(self, train_batch_size: int = 32, eval_batch_size: int = 96):
        super().__init__()
        self.train_batch_size, self.eval_batch_size = train_batch_size, eval_batch_size

    def _data(self, split):
        z = np.load(f"dataset/prepdata/v1/{split}/signals.npz")
        return TensorDataset(torch.from_numpy(z["x"]), torch.from_numpy(z["y"]))

    def train_dataloader(self):
        return DataLoader(self._data("train"), self.train_batch_size, shuffle=True)

    def val_dataloader(self):
        return DataLoader(self._data("valid"), self.eval_batch_size)


class WaveCLI(LightningCLI):
    def add_arguments_to_parser(self, parser):
        parser.set_defaults({"trainer.max_epochs": 9, "trainer.enable_progress_bar": False, "model.channels": 16})


def cli_main(args: ArgsType = None):
    cli = WaveCLI(ConvModule, Waves, seed_everything_default=3, save_config_callback=None, run=False, args=args)
    cli.trainer.fit(cli.model, cli.datamodule)


if __name__ == "__main__":
    cli_main(args=["--trainer.accelerator=cpu", "--model.lr=0.005"])
