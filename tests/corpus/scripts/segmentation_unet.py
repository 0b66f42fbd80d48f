"""Segment the bright square: a small U-Net with skip connections, two classes of pixels."""
import lightning as L
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset


class SquareMasks(Dataset):
    def __init__(self, root, split, augment=False):
        z = np.load(f"{root}/{split}/pictures.npz")
        self.images = z["images"].astype("float32") / 255
        self.masks = np.zeros(self.images.shape, dtype="int64")
        for mask, quarter in zip(self.masks, z["labels"]):
            top, left = 6 * (quarter // 2) + 1, 6 * (quarter % 2) + 1
            mask[top : top + 4, left : left + 4] = 1
        self.augment = augment

    def __len__(self):
        return len(self.images)

    def __getitem__(self, i):
        image, mask = torch.from_numpy(self.images[i]), torch.from_numpy(self.masks[i])
        if self.augment and torch.rand(1) > 0.5:
            image, mask = image.flip(-1), mask.flip(-1)
        return image[None], mask


class DoubleConv(nn.Module):
    def __init__(self, in_ch, out_ch):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(in_ch, out_ch, 3, padding=1), nn.BatchNorm2d(out_ch), nn.ReLU(inplace=True),
            nn.Conv2d(out_ch, out_ch, 3, padding=1), nn.BatchNorm2d(out_ch), nn.ReLU(inplace=True),
        )

    def forward(self, x):
        return self.net(x)


class SegModel(L.LightningModule):
    def __init__(self, features_start=8, num_classes=2, lr=1e-2):
        super().__init__()
        self.save_hyperparameters()
        f = features_start
        self.enc, self.bottleneck = DoubleConv(1, f), DoubleConv(f, 2 * f)
        self.up = nn.ConvTranspose2d(2 * f, f, 2, stride=2)
        self.dec = DoubleConv(2 * f, f)
        self.out = nn.Conv2d(f, num_classes, 1)

    def forward(self, x):
        skip = self.enc(x)
        x = self.bottleneck(F.max_pool2d(skip, 2))
        return self.out(self.dec(torch.cat([self.up(x), skip], dim=1)))

    def training_step(self, batch, batch_idx):
        img, mask = batch
        loss = F.cross_entropy(self(img), mask, ignore_index=250)
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch, batch_idx):
        img, mask = batch
        self.log("val_loss", F.cross_entropy(self(img), mask, ignore_index=250))

    def configure_optimizers(self):
        opt = torch.optim.Adam(self.parameters(), lr=self.hparams.lr)
        sch = torch.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=6)
        return [opt], [sch]


if __name__ == "__main__":
    L.seed_everything(1234)
    root = "dataset/prepdata/v1"
    trainer = L.Trainer(max_epochs=6, logger=False, enable_progress_bar=False)
    trainer.fit(
        SegModel(),
        DataLoader(SquareMasks(root, "train", augment=True), batch_size=32, shuffle=True),
        DataLoader(SquareMasks(root, "valid"), batch_size=32),
    )
