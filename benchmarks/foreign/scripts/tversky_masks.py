import os

import numpy as np
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import LearningRateMonitor, ModelCheckpoint
from torch import nn
from torch.utils.data import DataLoader, Dataset


class config:
    DATA_PATH = "./dataset/prepdata/v1"
    BATCH_SIZE = 24
    LR = 1e-2
    MAX_EPOCHS = 3
    ALPHA, BETA = 0.3, 0.7


class LesionDataset(Dataset):
    def __init__(self, path, augment=False):
        data = np.load(os.path.join(path, "data.npz"))
        self.images, self.masks, self.augment = data["image"], (data["mask"] > 0).astype(np.float32), augment

    def __len__(self):
        return len(self.images)

    def __getitem__(self, idx):
        img, mask = self.images[idx][None], self.masks[idx][None]
        if self.augment and np.random.rand() < 0.5:
            img, mask = img[:, ::-1].copy(), mask[:, ::-1].copy()
        return torch.from_numpy(img), torch.from_numpy(mask)


class TverskyLoss(nn.Module):
    def __init__(self, alpha, beta):
        super().__init__()
        self.alpha, self.beta = alpha, beta

    def forward(self, inputs, targets, smooth=1):
        inputs = torch.sigmoid(inputs).view(-1)
        targets = targets.view(-1)
        TP = (inputs * targets).sum()
        FP = ((1 - targets) * inputs).sum()
        FN = (targets * (1 - inputs)).sum()
        return 1 - (TP + smooth) / (TP + self.alpha * FP + self.beta * FN + smooth)


def double_conv(in_c, out_c):
    return nn.Sequential(nn.Conv2d(in_c, out_c, 3, padding=1), nn.BatchNorm2d(out_c), nn.ReLU())


class LesionSegmenter(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.enc = double_conv(1, 10)
        self.mid = double_conv(10, 10)
        self.head = nn.Conv2d(10, 1, kernel_size=1)
        self.bce = nn.BCEWithLogitsLoss()
        self.tversky = TverskyLoss(config.ALPHA, config.BETA)

    def forward(self, x):
        return self.head(self.mid(self.enc(x)))

    def compute_loss(self, y_hat, y):
        return 0.5 * self.bce(y_hat, y) + 0.5 * self.tversky(y_hat, y)

    def training_step(self, batch, batch_nb):
        x, y = batch
        loss = self.compute_loss(self(x), y)
        self.log("loss/train", loss)
        return loss

    def validation_step(self, batch, batch_nb):
        x, y = batch
        y_hat = self(x)
        self.log("loss/val", self.compute_loss(y_hat, y), on_epoch=True)
        pred = (torch.sigmoid(y_hat) > 0.5).float()
        dice = (2 * (pred * y).sum() + 1e-7) / (pred.sum() + y.sum() + 1e-7)
        self.log("dice/val", dice, on_epoch=True, prog_bar=True)

    def configure_optimizers(self):
        return torch.optim.RAdam(self.parameters(), lr=config.LR)


if __name__ == "__main__":
    pl.seed_everything(17)
    train_loader = DataLoader(LesionDataset(config.DATA_PATH + "/train", augment=True), config.BATCH_SIZE, shuffle=True)
    val_loader = DataLoader(LesionDataset(config.DATA_PATH + "/valid"), config.BATCH_SIZE)
    checkpoint_callback = ModelCheckpoint(monitor="dice/val", mode="max", save_weights_only=True, verbose=False)
    trainer = pl.Trainer(max_epochs=config.MAX_EPOCHS, callbacks=[checkpoint_callback, LearningRateMonitor()])
    trainer.fit(LesionSegmenter(), train_loader, val_loader)
