from pathlib import Path

import lightning as L
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from lightning.pytorch.callbacks import ModelCheckpoint
from torch.utils.data import DataLoader, Dataset

DATASET_ID = "v1"
VERSION = "baseline"
DATA = Path("dataset/prepdata") / DATASET_ID
ARTIFACTS = Path("Models/Artifacts") / VERSION
CLASSES = ["top left", "top right", "bottom left", "bottom right"]


class Pictures(Dataset):
    def __init__(self, split, augment=False):
        arrays = np.load(DATA / split / "pictures.npz")
        self.images, self.labels, self.augment = arrays["images"], arrays["labels"], augment

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        image = torch.from_numpy(self.images[index]).float().div(255).unsqueeze(0)
        if self.augment:
            image = image + 0.02 * torch.randn_like(image)
        return image, int(self.labels[index])


class ConvNet(L.LightningModule):
    def __init__(self, channels=8):
        super().__init__()
        self.conv1 = nn.Conv2d(1, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, 2 * channels, kernel_size=3, padding=1)
        self.pool = nn.MaxPool2d(2, 2)
        self.fc1 = nn.Linear(2 * channels * 3 * 3, 32)
        self.fc2 = nn.Linear(32, len(CLASSES))

    def forward(self, x):
        x = self.pool(F.relu(self.conv1(x)))
        x = self.pool(F.relu(self.conv2(x)))
        x = torch.flatten(x, 1)
        x = F.relu(self.fc1(x))
        return self.fc2(x)

    def training_step(self, batch, batch_idx):
        images, labels = batch
        loss = F.cross_entropy(self(images), labels)
        self.log("train_loss", loss, on_step=False, on_epoch=True)
        return loss

    def validation_step(self, batch, batch_idx):
        images, labels = batch
        self.log("val_loss", F.cross_entropy(self(images), labels))

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.01, momentum=0.9)


def main():
    L.seed_everything(3)
    checkpoint = ModelCheckpoint(ARTIFACTS, "best", monitor="val_loss", save_last=True)
    trainer = L.Trainer(max_epochs=40, callbacks=checkpoint, logger=False, enable_progress_bar=False)
    trainer.fit(
        ConvNet(),
        DataLoader(Pictures("train", augment=True), batch_size=16, shuffle=True),
        DataLoader(Pictures("valid"), batch_size=32),
    )


if __name__ == "__main__":
    main()
