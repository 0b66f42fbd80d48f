import lightning as L
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

HPARAMS = dict(lr=1e-2, hidden_size=32, dropout=0.15, weight_decay=1e-4, batch_size=25)


class Net(L.LightningModule):
    def __init__(self, **hparams):
        super().__init__()
        self.save_hyperparameters(hparams)
        h = self.hparams["hidden_size"]
        self.model = nn.Sequential(
            nn.Linear(16, h), nn.SiLU(),
            nn.Dropout(p=self.hparams["dropout"]),
            nn.Linear(h, 4),
        )

    def forward(self, *args, **kwargs):
        return self.model(*args, **kwargs)

    def _step(self, batch, stage):
        x, y = batch
        loss = nn.functional.cross_entropy(self(x), y)
        self.log(f"{stage}_loss", loss)
        return loss

    def training_step(self, batch, batch_idx):
        return self._step(batch, "train")

    def validation_step(self, batch, batch_idx):
        return self._step(batch, "val")

    def configure_optimizers(self):
        return torch.optim.AdamW(
            self.parameters(), lr=self.hparams["lr"], weight_decay=self.hparams["weight_decay"]
        )

    def train_dataloader(self):
        return self._loader("train", shuffle=True)

    def val_dataloader(self):
        return self._loader("valid")

    def _loader(self, split, **kwargs):
        z = np.load(f"dataset/prepdata/v1/{split}/signals.npz")
        dataset = TensorDataset(torch.from_numpy(z["x"]), torch.from_numpy(z["y"]))
        return DataLoader(dataset, batch_size=self.hparams["batch_size"], **kwargs)


if __name__ == "__main__":
    L.seed_everything(31)
    model = Net(**HPARAMS)
    L.Trainer(max_epochs=40, enable_progress_bar=False, logger=False).fit(model)
