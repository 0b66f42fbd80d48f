"""DnCNN-like denoiser: noise is added in the step, the clean picture is the target."""

import lightning.pytorch as pl
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader
from torchmetrics.image import PeakSignalNoiseRatio

SIGMA = 0.3


class DnCNN(nn.Module):
    def __init__(self, channels=1, num_of_layers=3, features=12):
        super().__init__()
        layers = [nn.Conv2d(channels, features, 3, padding=1), nn.ReLU(inplace=True)]
        for _ in range(num_of_layers - 2):
            layers += [nn.Conv2d(features, features, 3, padding=1), nn.BatchNorm2d(features), nn.ReLU(inplace=True)]
        layers.append(nn.Conv2d(features, channels, 3, padding=1))
        self.dncnn = nn.Sequential(*layers)

    def forward(self, x):
        return x - self.dncnn(x)


class Denoiser(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.net = DnCNN()
        self.psnr = PeakSignalNoiseRatio(data_range=1.0)

    def forward(self, noisy):
        return self.net(noisy)

    def training_step(self, clean, batch_idx):
        noisy = clean + SIGMA * torch.randn_like(clean)
        return nn.functional.l1_loss(self(noisy), clean)

    def validation_step(self, clean, batch_idx):
        noisy = clean + SIGMA * torch.randn_like(clean)
        restored = self(noisy)
        self.log("val_l1", nn.functional.l1_loss(restored, clean), batch_size=clean.size(0))
        self.psnr.update(restored, clean)

    def on_validation_epoch_end(self):
        self.log("val_psnr", self.psnr.compute())
        self.psnr.reset()

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), 3e-3)


def loader(split):
    x = np.load(f"dataset/prepdata/v1/{split}/data.npz")["x"][:, None].astype("float32") / 16
    return DataLoader(torch.from_numpy(x), batch_size=32, shuffle=split == "train")


if __name__ == "__main__":
    pl.seed_everything(8)
    checkpoint = pl.callbacks.ModelCheckpoint(monitor="val_psnr", mode="max")
    trainer = pl.Trainer(max_epochs=3, callbacks=[checkpoint], enable_progress_bar=False)
    trainer.fit(Denoiser(), loader("train"), loader("valid"))
