import functools
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, List

import numpy as np
import torch
from lightning.pytorch import LightningDataModule, LightningModule, Trainer, seed_everything
from lightning.pytorch.callbacks import ModelCheckpoint
from torch import Tensor, nn
from torch.utils.data import DataLoader
from torchmetrics import MaxMetric, MeanMetric
from torchmetrics.classification import MulticlassAccuracy


@dataclass
class ModelConf:
    hidden: List[int] = field(default_factory=lambda: [64, 32])
    dropout: float = 0.1


@dataclass
class Conf:
    data_dir: Path = Path("dataset/prepdata/v1")
    batch_size: int = 32
    epochs: int = 3
    seed: int = 12345
    model: ModelConf = field(default_factory=ModelConf)


class CohortDataModule(LightningDataModule):
    """One sample is {"signals": {"ecg": ...}, "meta": {"patient": ...}, "diagnosis": ...}."""

    def __init__(self, data_dir: Path, batch_size: int = 64):
        super().__init__()
        self.save_hyperparameters(logger=False)
        self.data_train = self.data_val = None

    def setup(self, stage=None):
        if self.data_train is None:
            self.data_train, self.data_val = self._read("train"), self._read("valid")

    def _read(self, split):
        arrays = np.load(self.hparams.data_dir / split / "data.npz")
        return [
            {"signals": {"ecg": x}, "meta": {"patient": int(s)}, "diagnosis": int(y)}
            for x, y, s in zip(arrays["x"], arrays["y"], arrays["subject"])
        ]

    def train_dataloader(self):
        return DataLoader(self.data_train, batch_size=self.hparams.batch_size, shuffle=True)

    def val_dataloader(self):
        return DataLoader(self.data_val, batch_size=self.hparams.batch_size)


class SimpleDense(nn.Module):
    def __init__(self, conf: ModelConf, n_in: int = 16, n_out: int = 4):
        super().__init__()
        layers = []
        for width in conf.hidden:
            layers += [nn.Linear(n_in, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Dropout(conf.dropout)]
            n_in = width
        self.model = nn.Sequential(*layers, nn.Linear(n_in, n_out))

    def forward(self, x: Tensor) -> Tensor:
        return self.model(x)


class DiagnosisModule(LightningModule):
    def __init__(self, net: nn.Module, optimizer: Callable, criterion: nn.Module):
        super().__init__()
        self.save_hyperparameters(logger=False, ignore=["net", "criterion", "optimizer"])
        self.net, self.criterion, self.make_optimizer = net, criterion, optimizer
        self.val_loss, self.val_acc, self.val_acc_best = (
            MeanMetric(),
            MulticlassAccuracy(4, average="micro"),
            MaxMetric(),
        )

    def forward(self, x):
        return self.net(x)

    def on_train_start(self):
        self.val_loss.reset()
        self.val_acc.reset()
        self.val_acc_best.reset()

    def model_step(self, batch):
        logits = self.forward(batch["signals"]["ecg"])
        loss = self.criterion(logits, batch["diagnosis"])
        return loss, torch.argmax(logits, dim=1), batch["diagnosis"]

    def training_step(self, batch, batch_idx):
        loss, _, _ = self.model_step(batch)
        self.log("train/loss", loss, on_step=False, on_epoch=True)
        return loss

    def validation_step(self, batch, batch_idx):
        loss, preds, targets = self.model_step(batch)
        self.val_loss(loss)
        self.val_acc(preds, targets)
        self.log("val/loss", self.val_loss, on_step=False, on_epoch=True, prog_bar=True)
        self.log("val/acc", self.val_acc, on_step=False, on_epoch=True, prog_bar=True)

    def on_validation_epoch_end(self):
        self.val_acc_best(self.val_acc.compute())
        self.log("val/acc_best", self.val_acc_best.compute(), sync_dist=True, prog_bar=True)

    def configure_optimizers(self):
        optimizer = self.make_optimizer(params=self.parameters())
        scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=2)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "monitor": "val/loss"}}


def train(cfg: Conf):
    seed_everything(cfg.seed, workers=True)
    datamodule = CohortDataModule(cfg.data_dir, cfg.batch_size)
    model = DiagnosisModule(SimpleDense(cfg.model), functools.partial(torch.optim.Adam, lr=4e-3), nn.CrossEntropyLoss())
    checkpoint = ModelCheckpoint(dirpath="checkpoints", filename="epoch_{epoch:03d}", monitor="val/acc", mode="max")
    trainer = Trainer(max_epochs=cfg.epochs, accelerator="cpu", callbacks=[checkpoint], enable_progress_bar=False)
    trainer.fit(model=model, datamodule=datamodule)
    return trainer.callback_metrics


if __name__ == "__main__":
    train(Conf())
