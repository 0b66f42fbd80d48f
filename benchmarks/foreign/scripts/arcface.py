"""Recognition with an angular margin: the head takes the labels, and the margin stays on in validation."""
import math

import lightning.pytorch as pl
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from lightning.pytorch.callbacks import ModelCheckpoint
from torch.utils.data import DataLoader, TensorDataset


class ArcMarginProduct(nn.Module):
    def __init__(self, in_features, out_features, s=16.0, m=0.3):
        super().__init__()
        self.s, self.m = s, m
        self.weight = nn.Parameter(torch.empty(out_features, in_features))
        nn.init.xavier_uniform_(self.weight)
        self.cos_m, self.sin_m = math.cos(m), math.sin(m)

    def forward(self, input, label):
        cosine = F.linear(F.normalize(input), F.normalize(self.weight))
        sine = torch.sqrt((1.0 - cosine.pow(2)).clamp(1e-7, 1))
        phi = cosine * self.cos_m - sine * self.sin_m
        one_hot = torch.zeros_like(cosine)
        one_hot.scatter_(1, label.view(-1, 1).long(), 1)
        return (one_hot * phi + (1.0 - one_hot) * cosine) * self.s


class FaceModel(pl.LightningModule):
    def __init__(self, emb=24, num_classes=10):
        super().__init__()
        self.backbone = nn.Sequential(nn.Linear(64, 64), nn.PReLU(), nn.Linear(64, emb), nn.BatchNorm1d(emb))
        self.arc = ArcMarginProduct(emb, num_classes)

    def forward(self, x):
        return self.backbone(x)

    def training_step(self, batch, batch_idx):
        img, label = batch
        return F.cross_entropy(self.arc(self(img), label), label)

    def validation_step(self, batch, batch_idx):
        img, label = batch
        output = self.arc(self(img), label)
        self.log("val_loss", F.cross_entropy(output, label))
        self.log("val_acc", (output.argmax(1) == label).float().mean())

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4)


def get_loader(split):
    data = np.load(f"dataset/prepdata/v1/{split}/data.npz")
    x = torch.from_numpy(data["x"]).float().flatten(1) / 8 - 1
    return DataLoader(TensorDataset(x, torch.from_numpy(data["y"])), batch_size=36, shuffle=split == "train")


if __name__ == "__main__":
    pl.seed_everything(8)
    trainer = pl.Trainer(max_epochs=3, callbacks=[ModelCheckpoint(monitor="val_loss")], enable_progress_bar=False)
    trainer.fit(FaceModel(), get_loader("train"), get_loader("valid"))
