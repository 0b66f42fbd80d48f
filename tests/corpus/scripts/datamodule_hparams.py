"""DataModule and model both keep their arguments with save_hyperparameters; settings are keyword-only."""
from typing import Optional

import lightning as L
import numpy as np
import torch
import torchmetrics
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class WavesDataModule(L.LightningDataModule):
    def __init__(self, *, data_dir: str = "dataset/prepdata/v1", batch_size: int = 16, num_workers: int = 0, pin_memory: bool = False):
        super().__init__()
        self.save_hyperparameters(logger=False)
        self.data_train: Optional[TensorDataset] = None
        self.data_val: Optional[TensorDataset] = None

    def setup(self, stage: Optional[str] = None):
        if self.data_train is None:
            self.data_train, self.data_val = (self._read(split) for split in ("train", "valid"))

    def _read(self, split):
        arrays = np.load(f"{self.hparams.data_dir}/{split}/signals.npz")
        return TensorDataset(torch.from_numpy(arrays["x"]), torch.from_numpy(arrays["y"]))

    def train_dataloader(self):
        return DataLoader(
            dataset=self.data_train,
            batch_size=self.hparams.batch_size,
            num_workers=self.hparams.num_workers,
            pin_memory=self.hparams.pin_memory,
            shuffle=True,
        )

    def val_dataloader(self):
        return DataLoader(
            dataset=self.data_val,
            batch_size=self.hparams.batch_size,
            num_workers=self.hparams.num_workers,
            pin_memory=self.hparams.pin_memory,
            shuffle=False,
        )


class WavesModule(L.LightningModule):
    def __init__(self, *, lr: float = 1e-3, weight_decay: float = 0.0, lin1_size: int = 64, lin2_size: int = 32):
        super().__init__()
        self.save_hyperparameters(logger=False)
        self.net = nn.Sequential(
            nn.Linear(16, lin1_size),
            nn.BatchNorm1d(lin1_size),
            nn.ReLU(),
            nn.Linear(lin1_size, lin2_size),
            nn.BatchNorm1d(lin2_size),
            nn.ReLU(),
            nn.Linear(lin2_size, 4),
        )
        self.criterion = torch.nn.CrossEntropyLoss()
        self.train_acc = torchmetrics.Accuracy(task="multiclass", num_classes=4)
        self.val_acc = torchmetrics.Accuracy(task="multiclass", num_classes=4)

    def forward(self, x):
        return self.net(x)

    def model_step(self, batch):
        x, y = batch
        logits = self.forward(x)
        return self.criterion(logits, y), torch.argmax(logits, dim=1), y

    def training_step(self, batch, batch_idx):
        loss, preds, targets = self.model_step(batch)
        self.train_acc(preds, targets)
        self.log("train/loss", loss, on_step=False, on_epoch=True)
        self.log("train/acc", self.train_acc, on_step=False, on_epoch=True)
        return loss

    def validation_step(self, batch, batch_idx):
        loss, preds, targets = self.model_step(batch)
        self.val_acc(preds, targets)
        self.log("val/loss", loss)
        self.log("val/acc", self.val_acc)

    def configure_optimizers(self):
        return {"optimizer": torch.optim.Adam(self.parameters(), lr=self.hparams.lr, weight_decay=self.hparams.weight_decay)}


def main() -> None:
    L.seed_everything(12345, workers=True)
    datamodule = WavesDataModule(batch_size=32)
    model = WavesModule(lr=2e-3)
    trainer = L.Trainer(min_epochs=1, max_epochs=15, accelerator="cpu", enable_progress_bar=False, logger=False)
    trainer.fit(model=model, datamodule=datamodule)
    trainer.validate(model=model, datamodule=datamodule, verbose=False)


if __name__ == "__main__":
    main()
