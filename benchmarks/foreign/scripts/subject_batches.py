"""EEG-like windows: every item also carries the subject it was recorded from."""

import os

import lightning as L
import numpy as np
import torch
import torchmetrics
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint
from torch import nn
from torch.utils.data import DataLoader, Dataset

DATA_ROOT = os.path.join("dataset", "prepdata", "v1")
N_CLASSES = 4


class WindowDataset(Dataset):
    def __init__(self, split):
        npz = np.load(os.path.join(DATA_ROOT, split, "data.npz"))
        self.windows = torch.as_tensor(npz["x"])
        self.labels = torch.as_tensor(npz["y"])
        self.subjects = torch.as_tensor(npz["subject"])

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        return self.windows[i], self.labels[i], self.subjects[i]


class EEGClassifier(L.LightningModule):
    def __init__(self, hidden: int = 48, lr: float = 5e-3):
        super().__init__()
        self.save_hyperparameters()
        self.encoder = nn.Sequential(nn.Linear(16, hidden), nn.BatchNorm1d(hidden), nn.ELU(), nn.Dropout(0.25))
        self.classifier = nn.Linear(hidden, N_CLASSES)
        self.criterion = nn.CrossEntropyLoss()
        self.train_acc = torchmetrics.Accuracy(task="multiclass", num_classes=N_CLASSES)
        self.val_acc = torchmetrics.Accuracy(task="multiclass", num_classes=N_CLASSES)

    def forward(self, x):
        return self.classifier(self.encoder(x))

    def training_step(self, batch, batch_idx):
        x, y, _ = batch
        logits = self(x)
        loss = self.criterion(logits, y)
        self.train_acc(logits, y)
        self.log("train/loss", loss, on_step=False, on_epoch=True)
        self.log("train/acc", self.train_acc, on_step=False, on_epoch=True)
        return loss

    def validation_step(self, batch, batch_idx):
        x, y, subject = batch
        logits = self(x)
        self.val_acc(logits, y)
        self.log("val/loss", self.criterion(logits, y), prog_bar=True)
        self.log("val/acc", self.val_acc, prog_bar=True)

    def configure_optimizers(self):
        opt = torch.optim.AdamW(self.parameters(), lr=self.hparams.lr, weight_decay=1e-4)
        sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=self.trainer.max_epochs)
        return {"optimizer": opt, "lr_scheduler": {"scheduler": sched, "interval": "epoch"}}


def main():
    L.seed_everything(2023, workers=True)
    train_loader = DataLoader(WindowDataset("train"), batch_size=32, shuffle=True)
    val_loader = DataLoader(WindowDataset("valid"), batch_size=64)
    trainer = L.Trainer(
        max_epochs=3,
        accelerator="auto",
        callbacks=[
            ModelCheckpoint(
                monitor="val/acc", mode="max", filename="{epoch}-{val/acc:.3f}", auto_insert_metric_name=False
            ),
            EarlyStopping("val/loss", patience=5),
        ],
        log_every_n_steps=5,
    )
    trainer.fit(EEGClassifier(), train_loader, val_loader)


if __name__ == "__main__":
    main()
