import os

import numpy as np
import torch
from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning import seed_everything
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

PATH_DATASETS = os.environ.get("PATH_DATASETS", "dataset/prepdata/v1")
BATCH_SIZE = 64


class LitPictures(LightningModule):
    def __init__(self, data_dir=PATH_DATASETS, hidden_size=64, learning_rate=2e-3):
        super().__init__()
        self.data_dir = data_dir
        self.hidden_size = hidden_size
        self.learning_rate = learning_rate
        self.num_classes = 4
        self.dims = (1, 12, 12)
        channels, width, height = self.dims
        self.model = nn.Sequential(
            nn.Flatten(),
            nn.Linear(channels * width * height, hidden_size),
            nn.ReLU(),
            nn.Dropout(0.1),
            nn.Linear(hidden_size, hidden_size),
            nn.ReLU(),
            nn.Dropout(0.1),
            nn.Linear(hidden_size, self.num_classes),
        )

    def forward(self, x):
        x = self.model(x)
        return F.log_softmax(x, dim=1)

    def training_step(self, batch, batch_idx):
        x, y = batch
        logits = self(x)
        loss = F.nll_loss(logits, y)
        return loss

    def validation_step(self, batch, batch_idx):
        x, y = batch
        logits = self(x)
        loss = F.nll_loss(logits, y)
        preds = torch.argmax(logits, dim=1)
        self.log("val_loss", loss, prog_bar=True)
        self.log("val_acc", (preds == y).float().mean(), prog_bar=True)

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=self.learning_rate)

    def setup(self, stage=None):
        def read(split):
            z = np.load(os.path.join(self.data_dir, split, "pictures.npz"))
            images = (torch.from_numpy(z["images"])[:, None].float() / 255 - 0.2) / 0.15
            return TensorDataset(images, torch.from_numpy(z["labels"]))

        if stage == "fit" or stage is None:
            self.train_set, self.val_set = read("train"), read("valid")

    def train_dataloader(self):
        return DataLoader(self.train_set, batch_size=BATCH_SIZE, shuffle=True)

    def val_dataloader(self):
        return DataLoader(self.val_set, batch_size=BATCH_SIZE)


if __name__ == "__main__":
    seed_everything(7)
    model = LitPictures()
    trainer = Trainer(accelerator="auto", devices=1, max_epochs=8, enable_progress_bar=False, logger=False)
    trainer.fit(model)
