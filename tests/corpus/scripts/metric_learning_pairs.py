"""Contrastive pairs of pictures: alike or not."""
import lightning as L
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, Dataset


class PairDataset(Dataset):
    def __init__(self, split):
        z = np.load(f"dataset/prepdata/v1/{split}/pictures.npz")
        self.images = torch.from_numpy(z["images"]).float()[:, None] / 255.0
        self.labels = torch.from_numpy(z["labels"])

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        other = (index * 31 + 17) % len(self)
        same = (self.labels[index] == self.labels[other]).float()
        return self.images[index], self.images[other], same


class ContrastiveLoss(nn.Module):
    def __init__(self, margin=1.0):
        super().__init__()
        self.margin = margin

    def forward(self, a, b, same):
        d = F.pairwise_distance(a, b)
        return torch.mean(same * d.pow(2) + (1 - same) * F.relu(self.margin - d).pow(2))


class EmbeddingNet(L.LightningModule):
    def __init__(self, embedding_dim=8):
        super().__init__()
        self.convnet = nn.Sequential(nn.Conv2d(1, 8, 3), nn.PReLU(), nn.MaxPool2d(2), nn.Flatten())
        self.fc = nn.Sequential(nn.Linear(8 * 25, 32), nn.PReLU(), nn.Linear(32, embedding_dim))
        self.loss_fn = ContrastiveLoss()

    def forward(self, x):
        return self.fc(self.convnet(x))

    def training_step(self, batch, batch_idx):
        a, b, same = batch
        return self.loss_fn(self(a), self(b), same)

    def validation_step(self, batch, batch_idx):
        a, b, same = batch
        self.log("val_loss", self.loss_fn(self(a), self(b), same))

    def configure_optimizers(self):
        opt = torch.optim.Adam(self.parameters(), lr=1e-3)
        return [opt], [torch.optim.lr_scheduler.StepLR(opt, 8, gamma=0.1)]


if __name__ == "__main__":
    L.seed_everything(5)
    L.Trainer(max_epochs=8, logger=False, enable_progress_bar=False).fit(
        EmbeddingNet(), DataLoader(PairDataset("train"), 32, shuffle=True), DataLoader(PairDataset("valid"), 32)
    )
