# -*- coding: utf-8 -*-
# Kleines ResNet für Bilder – Übung 4 (ä, ö, ü in Kommentaren; 学习率)
import lightning as L
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

lernrate = 0.05  # 学习率
stapel = 32
epochen = 5


class ResBlock(nn.Module):
    def __init__(self, kanäle, stride=1, heraus=None):
        super().__init__()
        heraus = heraus or kanäle
        self.conv1 = nn.Conv2d(kanäle, heraus, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(heraus)
        self.conv2 = nn.Conv2d(heraus, heraus, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(heraus)
        self.shortcut = nn.Identity() if heraus == kanäle else nn.Conv2d(kanäle, heraus, 1, stride, bias=False)

    def forward(self, x):
        out = F.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        return F.relu(out + self.shortcut(x))


class ResNet(L.LightningModule):
    def __init__(self, breite=8):
        super().__init__()
        self.stem = nn.Conv2d(1, breite, 3, padding=1)
        self.stufe1 = ResBlock(breite)
        self.stufe2 = ResBlock(breite, 2, 2 * breite)
        self.fc = nn.Linear(2 * breite, 4)

    def forward(self, x):
        x = F.relu(self.stem(x))
        x = self.stufe2(self.stufe1(x))
        return self.fc(F.adaptive_avg_pool2d(x, 1).flatten(1))

    def training_step(self, batch, batch_idx):
        bilder, klassen = batch
        verlust = F.cross_entropy(self(bilder), klassen)
        self.log("train_loss", verlust)
        return verlust

    def validation_step(self, batch, batch_idx):
        bilder, klassen = batch
        self.log("val_loss", F.cross_entropy(self(bilder), klassen))

    def configure_optimizers(self):
        opt = torch.optim.SGD(self.parameters(), lr=lernrate, momentum=0.9, weight_decay=5e-4)
        plan = torch.optim.lr_scheduler.MultiStepLR(opt, milestones=[3, 4], gamma=0.1)
        return [opt], [plan]


def bilder(teil):
    d = np.load("dataset/prepdata/v1/{}/pictures.npz".format(teil))
    x = torch.from_numpy(d["images"]).float().unsqueeze(1) / 255.0
    return TensorDataset((x - x.mean()) / x.std(), torch.from_numpy(d["labels"]))


if __name__ == "__main__":
    L.seed_everything(4)
    t = L.Trainer(max_epochs=epochen, logger=False, enable_progress_bar=False)
    t.fit(ResNet(), DataLoader(bilder("train"), stapel, shuffle=True), DataLoader(bilder("valid"), stapel))
