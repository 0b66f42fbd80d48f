"""DeepLab habit: the head works at a quarter of the size, the step interpolates before the loss."""
import os

import lightning.pytorch as pl
import numpy as np
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset


class ShapesSegmentation(Dataset):
    def __init__(self, base_dir="dataset/prepdata/v1", split="train"):
        z = np.load(os.path.join(base_dir, split, "data.npz"))
        self.images, self.labels = z["image"], z["mask"]

    def __getitem__(self, index):
        return {"image": torch.from_numpy(self.images[index])[None], "label": torch.from_numpy(self.labels[index]).float()}

    def __len__(self):
        return len(self.images)


class Evaluator:
    def __init__(self, num_class):
        self.num_class = num_class
        self.reset()

    def reset(self):
        self.confusion_matrix = np.zeros((self.num_class,) * 2)

    def add_batch(self, gt_image, pre_image):
        label = self.num_class * gt_image.astype(int) + pre_image
        self.confusion_matrix += np.bincount(label.ravel(), minlength=self.num_class**2).reshape(self.num_class, -1)

    def Mean_Intersection_over_Union(self):
        cm = self.confusion_matrix
        return np.nanmean(np.diag(cm) / (cm.sum(axis=1) + cm.sum(axis=0) - np.diag(cm)))


class DeepLabLit(pl.LightningModule):
    def __init__(self, nclass=3, width=16):
        super().__init__()
        self.backbone = nn.Sequential(
            nn.Conv2d(1, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU(),
            nn.Conv2d(width, width, 3, stride=2, padding=1), nn.BatchNorm2d(width), nn.ReLU(),
        )
        self.aspp = nn.Conv2d(width, width, 3, padding=2, dilation=2)
        self.last_conv = nn.Conv2d(width, nclass, 1)
        self.evaluator = Evaluator(nclass)

    def forward(self, image):
        return self.last_conv(F.relu(self.aspp(self.backbone(image))))

    def logits(self, batch):
        image, target = batch["image"], batch["label"]
        return F.interpolate(self(image), size=target.shape[-2:], mode="bilinear", align_corners=True)

    def training_step(self, sample, i):
        return F.cross_entropy(self.logits(sample), sample["label"].long())

    def validation_step(self, sample, i):
        output = self.logits(sample)
        self.log("val/total_loss_epoch", F.cross_entropy(output, sample["label"].long()))
        self.evaluator.add_batch(sample["label"].numpy(), output.argmax(1).numpy())

    def on_validation_epoch_end(self):
        self.log("val/mIoU", self.evaluator.Mean_Intersection_over_Union())
        self.evaluator.reset()

    def configure_optimizers(self):
        groups = [
            {"params": self.backbone.parameters(), "lr": 0.01},
            {"params": [*self.aspp.parameters(), *self.last_conv.parameters()], "lr": 0.02},
        ]
        return torch.optim.Adam(groups)


if __name__ == "__main__":
    pl.seed_everything(1)
    train_loader = DataLoader(ShapesSegmentation(split="train"), batch_size=16, shuffle=True)
    val_loader = DataLoader(ShapesSegmentation(split="valid"), batch_size=32)
    checkpoint = ModelCheckpoint(monitor="val/mIoU", mode="max", dirpath="run", filename="model_best")
    trainer = pl.Trainer(max_epochs=2, callbacks=[checkpoint], enable_progress_bar=False)
    trainer.fit(DeepLabLit(), train_loader, val_loader)
