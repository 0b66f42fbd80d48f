"""An endless stream, counted in steps instead of epochs."""
import lightning as L
import torch
from torch import nn
from torch.utils.data import DataLoader, IterableDataset

MAX_STEPS = 200
CHECK_EVERY = 50


class Stream(IterableDataset):
    def __init__(self, seed, size=None):
        self.seed, self.size = seed, size

    def __iter__(self):
        generator = torch.Generator().manual_seed(self.seed)
        count = 0
        while self.size is None or count < self.size:
            x = torch.randn(10, generator=generator)
            yield x, (x.sum() > 0).float()
            count += 1


class Online(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(10, 20), nn.ReLU(), nn.Linear(20, 1))
        self.bce = nn.BCEWithLogitsLoss()

    def training_step(self, batch):
        x, y = batch
        loss = self.bce(self.net(x).squeeze(1), y)
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch):
        x, y = batch
        self.log("val_loss", self.bce(self.net(x).squeeze(1), y))

    def configure_optimizers(self):
        optimizer = torch.optim.SGD(self.parameters(), lr=0.1)
        scheduler = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, total_iters=MAX_STEPS)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}


if __name__ == "__main__":
    L.seed_everything(64)
    trainer = L.Trainer(
        max_steps=MAX_STEPS, val_check_interval=CHECK_EVERY, logger=False, enable_progress_bar=False
    )
    trainer.fit(Online(), DataLoader(Stream(1), batch_size=16), DataLoader(Stream(2, 64), batch_size=16))
