from pathlib import Path

import lightning.pytorch as pl
import numpy as np
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Tables(pl.LightningDataModule):
    def __init__(self, root="dataset/prepdata/v1", batch_size=32):
        super().__init__()
        self.root, self.batch_size = Path(root), batch_size

    def setup(self, stage=None):
        parts = {}
        for split in ("train", "valid"):
            with np.load(self.root / split / "data.npz") as data:
                parts[split] = TensorDataset(torch.tensor(data["x"]), torch.tensor(data["y"]))
        self.parts = parts
        self.center = parts["train"].tensors[0].mean(0)

    def on_before_batch_transfer(self, batch, dataloader_idx):
        return {"features": batch[0] - self.center, "species": batch[1]}

    def train_dataloader(self):
        return DataLoader(self.parts["train"], self.batch_size, shuffle=True)

    def val_dataloader(self):
        return DataLoader(self.parts["valid"], self.batch_size)


class Species(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(16, 24), nn.Tanh(), nn.Linear(24, 4))
        self.loss = nn.CrossEntropyLoss()

    def _step(self, batch, stage):
        loss = self.loss(self.net(batch["features"]), batch["species"])
        self.log(f"{stage}_loss", loss, on_epoch=True, prog_bar=True)
        return loss

    def training_step(self, batch, batch_idx):
        return self._step(batch, "train")

    def validation_step(self, batch, batch_idx):
        return self._step(batch, "val")

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1, momentum=0.9)


if __name__ == "__main__":
    pl.seed_everything(4)
    trainer = pl.Trainer(max_epochs=3, accelerator="cpu", callbacks=[ModelCheckpoint(monitor="val_loss")])
    trainer.fit(Species(), datamodule=Tables())
