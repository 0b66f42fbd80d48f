# ====================================================
# CFG
# ====================================================
class CFG:
    debug = False
    apex = False
    num_workers = 0
    scheduler = "CosineAnnealingLR"
    epochs = 30
    T_max = 10
    lr = 2e-3
    min_lr = 1e-6
    batch_size = 32
    weight_decay = 1e-6
    seed = 42
    target_size = 4
    channels = 16


if CFG.debug:
    CFG.epochs = 1

# ====================================================
# Library
# ====================================================
import os

import numpy as np
import pytorch_lightning as pl
import torch
import torch.nn as nn
from torch.optim import Adam
from torch.optim.lr_scheduler import CosineAnnealingLR
from torch.utils.data import DataLoader, Dataset

OUTPUT_DIR = "Models/Artifacts/baseline/"
os.makedirs(OUTPUT_DIR, exist_ok=True)
pl.seed_everything(CFG.seed)


# ====================================================
# Dataset
# ====================================================
class TrainDataset(Dataset):
    def __init__(self, fold, transform=None):
        f = np.load(f"dataset/prepdata/v1/{fold}/signals.npz")
        self.signals, self.labels = f["x"], f["y"]
        self.transform = transform

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, idx):
        signal = torch.tensor(self.signals[idx]).unsqueeze(0)
        if self.transform:
            signal = self.transform(signal)
        label = torch.tensor(self.labels[idx]).long()
        return signal, label


# ====================================================
# MODEL
# ====================================================
class CustomModel(pl.LightningModule):
    def __init__(self, cfg):
        super().__init__()
        self.cfg = cfg
        self.features = nn.Sequential(
            nn.Conv1d(1, cfg.channels, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.MaxPool1d(2),
            nn.Conv1d(cfg.channels, cfg.channels * 2, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.AdaptiveAvgPool1d(1),
        )
        self.fc = nn.Linear(cfg.channels * 2, cfg.target_size)
        self.criterion = nn.CrossEntropyLoss()

    def forward(self, x):
        return self.fc(self.features(x).flatten(1))

    def training_step(self, batch, batch_idx):
        signals, labels = batch
        y_preds = self(signals)
        loss = self.criterion(y_preds, labels)
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch, batch_idx):
        signals, labels = batch
        y_preds = self(signals)
        self.log("val_loss", self.criterion(y_preds, labels))

    def configure_optimizers(self):
        optimizer = Adam(self.parameters(), lr=CFG.lr, weight_decay=CFG.weight_decay, amsgrad=False)
        scheduler = CosineAnnealingLR(optimizer, T_max=CFG.T_max, eta_min=CFG.min_lr, last_epoch=-1)
        return [optimizer], [scheduler]


# ====================================================
# Train loop
# ====================================================
train_loader = DataLoader(
    TrainDataset("train"), batch_size=CFG.batch_size, shuffle=True, num_workers=CFG.num_workers, drop_last=True
)
valid_loader = DataLoader(TrainDataset("valid"), batch_size=CFG.batch_size * 2, shuffle=False)
checkpoint = pl.callbacks.ModelCheckpoint(OUTPUT_DIR, filename="best", monitor="val_loss", save_last=True)
trainer = pl.Trainer(max_epochs=CFG.epochs, callbacks=[checkpoint], enable_progress_bar=False, logger=False)
trainer.fit(CustomModel(CFG), train_loader, valid_loader)
