"""One step for every stage, the way templates write it."""
import lightning as L
import numpy as np
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from torchmetrics import Accuracy


class WaveModule(L.LightningModule):
    def __init__(self, n_classes: int = 4, hidden: int = 36, lr: float = 8e-3):
        super().__init__()
        self.save_hyperparameters()
        self.model = nn.Sequential(nn.Linear(16, hidden), nn.GELU(), nn.Dropout(0.2), nn.Linear(hidden, n_classes))
        self.criterion = nn.CrossEntropyLoss()
        self.accuracy = nn.ModuleDict(
            {stage: Accuracy(task="multiclass", num_classes=n_classes) for stage in ("fit", "val", "test_")}
        )

    def forward(self, x):
        return self.model(x)

    def _shared_step(self, batch, stage):
        x, y = batch
        logits = self(x)
        loss = self.criterion(logits, y)
        self.accuracy[stage](logits, y)
        self.log(f"{stage}_loss", loss, on_step=False, on_epoch=True)
        self.log(f"{stage}_acc", self.accuracy[stage], on_step=False, on_epoch=True)
        return loss

    def training_step(self, batch, batch_idx):
        return self._shared_step(batch, "fit")

    def validation_step(self, batch, batch_idx):
        self._shared_step(batch, "val")

    def test_step(self, batch, batch_idx):
        self._shared_step(batch, "test_")

    def configure_optimizers(self):
        optimizer = torch.optim.Adam(self.parameters(), lr=self.hparams.lr)
        return {"optimizer": optimizer}


def dataloader(split, **options):
    npz = np.load(f"dataset/prepdata/v1/{split}/signals.npz")
    return DataLoader(TensorDataset(torch.from_numpy(npz["x"]), torch.from_numpy(npz["y"])), **options)


if __name__ == "__main__":
    L.seed_everything(1337)
    best = ModelCheckpoint(dirpath="checkpoints", filename="best", monitor="val_loss", mode="min")
    trainer = L.Trainer(max_epochs=15, callbacks=[best], logger=False, enable_progress_bar=False)
    trainer.fit(WaveModule(), dataloader("train", batch_size=32, shuffle=True), dataloader("valid", batch_size=128))
