"""Unbalanced classes: a weighted sampler and class weights in the loss."""
import lightning as L
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, WeightedRandomSampler
from torchmetrics.classification import MulticlassF1Score

torch.manual_seed(16)
z = np.load("dataset/prepdata/v1/train/signals.npz")
keep = (z["y"] != 3) | (np.arange(len(z["y"])) % 4 == 0)
x, y = torch.from_numpy(z["x"][keep]), torch.from_numpy(z["y"][keep])
counts = torch.bincount(y, minlength=4).float()
v = np.load("dataset/prepdata/v1/valid/signals.npz")

sampler = WeightedRandomSampler(weights=(1.0 / counts)[y], num_samples=len(y), replacement=True)
train_loader = DataLoader(TensorDataset(x, y), batch_size=32, sampler=sampler)
valid_loader = DataLoader(TensorDataset(torch.from_numpy(v["x"]), torch.from_numpy(v["y"])), batch_size=96)


class Balanced(L.LightningModule):
    def __init__(self, class_weights):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(16, 32), nn.Hardswish(), nn.Linear(32, 4))
        self.loss = nn.CrossEntropyLoss(weight=class_weights)
        self.f1 = MulticlassF1Score(num_classes=4)

    def forward(self, x):
        return self.net(x)

    def training_step(self, batch, batch_idx):
        return self.loss(self(batch[0]), batch[1])

    def validation_step(self, batch, batch_idx):
        scores = self(batch[0])
        self.f1.update(scores, batch[1])
        self.log("val_loss", self.loss(scores, batch[1]))
        self.log("val_f1", self.f1)

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=1e-3, amsgrad=True)


model = Balanced(class_weights=counts.sum() / (4 * counts))
trainer = L.Trainer(max_epochs=12, logger=False, enable_progress_bar=False)
trainer.fit(model, train_loader, valid_loader)
