import os

import numpy as np
import pytorch_lightning as pl
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class LitClassifier(pl.LightningModule):
    def __init__(self, hidden_dim: int = 128, learning_rate: float = 0.0001):
        super().__init__()
        self.save_hyperparameters()
        self.l1 = torch.nn.Linear(16, self.hparams.hidden_dim)
        self.l2 = torch.nn.Linear(self.hparams.hidden_dim, 4)

    def forward(self, x):
        x = x.view(x.size(0), -1)
        x = torch.relu(self.l1(x))
        x = torch.relu(self.l2(x))
        return x

    def training_step(self, batch, batch_idx):
        x, y = batch
        y_hat = self(x)
        loss = nn.functional.cross_entropy(y_hat, y)
        self.log("train_loss", loss, on_epoch=True)
        return loss

    def validation_step(self, batch, batch_idx):
        x, y = batch
        y_hat = self(x)
        loss = nn.functional.cross_entropy(y_hat, y)
        self.log("valid_loss", loss, on_step=True)

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=self.hparams.learning_rate)


class MyDataModule(pl.LightningDataModule):
    def __init__(self, batch_size: int = 32):
        super().__init__()
        self.save_hyperparameters()

    def setup(self, stage=None):
        root = os.path.join("dataset", "prepdata", "v1")
        train = np.load(os.path.join(root, "train", "signals.npz"))
        val = np.load(os.path.join(root, "valid", "signals.npz"))
        self.waves_train = TensorDataset(torch.from_numpy(train["x"]), torch.from_numpy(train["y"]))
        self.waves_val = TensorDataset(torch.from_numpy(val["x"]), torch.from_numpy(val["y"]))

    def train_dataloader(self):
        return DataLoader(self.waves_train, batch_size=self.hparams.batch_size, shuffle=True)

    def val_dataloader(self):
        return DataLoader(self.waves_val, batch_size=self.hparams.batch_size)


def cli_main():
    pl.seed_everything(1234)
    dm = MyDataModule()
    model = LitClassifier()
    checkpoint = pl.callbacks.ModelCheckpoint(monitor="valid_loss_epoch", save_last=True)
    trainer = pl.Trainer(max_epochs=40, callbacks=[checkpoint], enable_progress_bar=False)
    trainer.fit(model, datamodule=dm)
    result = trainer.validate(model, datamodule=dm, verbose=False)
    print(result)


if __name__ == "__main__":
    cli_main()
