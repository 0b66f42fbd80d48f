"""First the head alone, then all layers at a smaller rate: two Trainers, two fits."""
import lightning as L
import numpy as np
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class FineTuned(L.LightningModule):
    def __init__(self, lr):
        super().__init__()
        self.lr = lr
        self.backbone = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU())
        self.classifier = nn.Linear(32, 4)

    def forward(self, x):
        return self.classifier(self.backbone(x))

    def training_step(self, batch, batch_idx):
        return nn.functional.cross_entropy(self(batch[0]), batch[1])

    def validation_step(self, batch, batch_idx):
        self.log("val_loss", nn.functional.cross_entropy(self(batch[0]), batch[1]))

    def configure_optimizers(self):
        return torch.optim.Adam(filter(lambda p: p.requires_grad, self.parameters()), lr=self.lr)


def loaders():
    for split in ("train", "valid"):
        z = np.load(f"dataset/prepdata/v1/{split}/signals.npz")
        data = TensorDataset(torch.from_numpy(z["x"]), torch.from_numpy(z["y"]))
        yield DataLoader(data, batch_size=32, shuffle=split == "train")


def trainer(epochs, **kwargs):
    return L.Trainer(max_epochs=epochs, logger=False, enable_progress_bar=False, **kwargs)


if __name__ == "__main__":
    L.seed_everything(12)
    train, valid = loaders()
    model = FineTuned(lr=1e-2)

    model.backbone.requires_grad_(False)
    trainer(2, enable_checkpointing=False).fit(model, train, valid)

    model.backbone.requires_grad_(True)
    model.lr = 2e-3
    keep = ModelCheckpoint(dirpath="Models/Artifacts/baseline", filename="best", monitor="val_loss", save_last=True)
    trainer(10, callbacks=[keep]).fit(model, train, valid)
