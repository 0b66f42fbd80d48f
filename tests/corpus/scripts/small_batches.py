"""A 1-D convolution read with one channel, tiny batches in a fixed order, RMSprop, many steps."""
from collections import OrderedDict

import lightning as L
import numpy as np
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from torch import nn, optim, utils


class SignalNet(L.LightningModule):
    """One convolution, two dense layers, all named."""

    def __init__(self, learning_rate: float = 0.0005, alpha: float = 0.9, filters: int = 12):
        super().__init__()
        self.learning_rate, self.alpha = learning_rate, alpha
        self.model = nn.Sequential(
            OrderedDict(
                unflatten=nn.Unflatten(1, (1, 16)),
                conv=nn.Conv1d(1, filters, 5, padding="same"),
                relu=nn.ReLU(),
                flatten=nn.Flatten(),
                fc=nn.Linear(filters * 16, 4),
            )
        )

    def forward(self, x):
        return self.model(x)

    def training_step(self, batch, batch_idx):
        x, y = batch
        loss = nn.functional.cross_entropy(self.forward(x), y)
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch, batch_idx):
        x, y = batch
        logits = self.forward(x)
        self.log("val_loss", nn.functional.cross_entropy(logits, y), prog_bar=True)
        self.log("val_error", (logits.argmax(1) != y).float().mean(), prog_bar=True)

    def configure_optimizers(self):
        return optim.RMSprop(self.parameters(), lr=self.learning_rate, alpha=self.alpha)


def main(batch_size=8, epochs=60):
    L.seed_everything(88)
    loaders = {}
    for split in ("train", "valid"):
        with np.load(f"dataset/prepdata/v1/{split}/signals.npz") as npz:
            data = utils.data.TensorDataset(torch.from_numpy(npz["x"]), torch.from_numpy(npz["y"]))
        loaders[split] = utils.data.DataLoader(data, batch_size=batch_size)
    best = ModelCheckpoint(monitor="val_error", mode="min", dirpath="Models/Artifacts/baseline", filename="best")
    trainer = L.Trainer(max_epochs=epochs, callbacks=[best], logger=False, enable_progress_bar=False)
    trainer.fit(SignalNet(), loaders["train"], loaders["valid"])


if __name__ == "__main__":
    main()
