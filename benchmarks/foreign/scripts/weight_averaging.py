import lightning.pytorch as pl
import numpy as np
import torch
from lightning.pytorch.callbacks import EMAWeightAveraging, ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

DATASET_ID = "v1"
VERSION = "baseline"


def dataset(split):
    npz = np.load(f"dataset/prepdata/{DATASET_ID}/{split}/data.npz")
    return TensorDataset(torch.from_numpy(npz["x"]), torch.from_numpy(npz["y"]))


class Model(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.mlp = nn.Sequential(nn.Linear(16, 48), nn.LayerNorm(48), nn.GELU(), nn.Linear(48, 4))

    def forward(self, x):
        return self.mlp(x)

    def training_step(self, batch, _):
        loss = nn.functional.cross_entropy(self(batch[0]), batch[1])
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch, _):
        logits = self(batch[0])
        self.log("val_loss", nn.functional.cross_entropy(logits, batch[1]))
        self.log("val_acc", (logits.argmax(1) == batch[1]).float().mean())

    def configure_optimizers(self):
        return torch.optim.AdamW(self.parameters(), lr=0.01)


def main():
    pl.seed_everything(21)
    out = f"Models/Artifacts/{VERSION}"
    trainer = pl.Trainer(
        max_epochs=3,
        logger=CSVLogger(out, name="logs"),
        callbacks=[EMAWeightAveraging(decay=0.8), ModelCheckpoint(out, "best", monitor="val_loss")],
        enable_progress_bar=False,
    )
    trainer.fit(Model(), DataLoader(dataset("train"), 24, shuffle=True), DataLoader(dataset("valid"), 64))


if __name__ == "__main__":
    main()
