import random

import lightning.pytorch as pl
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset


class SiameseNetworkDataset(Dataset):
    def __init__(self, split, seed):
        npz = np.load(f"dataset/prepdata/v1/{split}/data.npz")
        self.x, self.y = torch.from_numpy(npz["x"]), npz["y"].tolist()
        chosen = random.Random(seed)
        self.partner = [self.pick(chosen, i, chosen.randint(0, 1)) for i in range(len(self.y))]

    def pick(self, chosen, i, same):
        while True:
            j = chosen.randrange(len(self.y))
            if (self.y[i] == self.y[j]) == bool(same):
                return j

    def __getitem__(self, i):
        j = self.partner[i]
        return self.x[i], self.x[j], torch.tensor([float(self.y[i] != self.y[j])])

    def __len__(self):
        return len(self.y)


class ContrastiveLoss(torch.nn.Module):
    def __init__(self, margin=2.0):
        super().__init__()
        self.margin = margin

    def forward(self, output1, output2, label):
        euclidean_distance = F.pairwise_distance(output1, output2, keepdim=True)
        return torch.mean(
            (1 - label) * torch.pow(euclidean_distance, 2)
            + label * torch.pow(torch.clamp(self.margin - euclidean_distance, min=0.0), 2)
        )


class SiameseNetwork(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Sequential(nn.Linear(16, 64), nn.ReLU(inplace=True), nn.Linear(64, 5))
        self.criterion = ContrastiveLoss()

    def forward_once(self, x):
        return self.fc1(x)

    def forward(self, input1, input2):
        return self.forward_once(input1), self.forward_once(input2)

    def training_step(self, batch, batch_idx):
        x0, x1, y = batch
        output1, output2 = self(x0, x1)
        return self.criterion(output1, output2, y)

    def validation_step(self, batch, batch_idx):
        x0, x1, y = batch
        output1, output2 = self(x0, x1)
        self.log("val_loss", self.criterion(output1, output2, y))

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=5e-3)


if __name__ == "__main__":
    pl.seed_everything(0)
    train_dataloader = DataLoader(SiameseNetworkDataset("train", 1), shuffle=True, batch_size=32)
    val_dataloader = DataLoader(SiameseNetworkDataset("valid", 2), batch_size=32)
    trainer = pl.Trainer(max_epochs=3, enable_progress_bar=False)
    trainer.fit(SiameseNetwork(), train_dataloader, val_dataloader)
