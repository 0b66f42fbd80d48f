import lightning as L
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Net(L.LightningModule):
    def __init__(self, max_lr: float = 0.1, hidden: int = 40):
        super().__init__()
        self.max_lr = max_lr
        self.net = nn.Sequential(nn.Linear(16, hidden), nn.BatchNorm1d(hidden), nn.ReLU(inplace=True), nn.Linear(hidden, 4))

    def forward(self, x):
        return self.net(x)

    def training_step(self, batch, batch_idx):
        x, y = batch
        return nn.functional.cross_entropy(self(x), y)

    def validation_step(self, batch, batch_idx):
        x, y = batch
        self.log("val_loss", nn.functional.cross_entropy(self(x), y))

    def configure_optimizers(self):
        optimizer = torch.optim.SGD(self.parameters(), lr=self.max_lr / 25, momentum=0.9, weight_decay=5e-4)
        scheduler = torch.optim.lr_scheduler.OneCycleLR(
            optimizer,
            max_lr=self.max_lr,
            total_steps=self.trainer.estimated_stepping_batches,
            pct_start=0.3,
        )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}


def split(name):
    arrays = np.load(f"dataset/prepdata/v1/{name}/signals.npz")
    return TensorDataset(torch.from_numpy(arrays["x"]), torch.from_numpy(arrays["y"]))


def main():
    L.seed_everything(14, workers=True)
    train = DataLoader(split("train"), batch_size=20, shuffle=True)
    valid = DataLoader(split("valid"), batch_size=96)
    L.Trainer(max_epochs=10, precision="bf16-mixed", logger=False, enable_progress_bar=False).fit(Net(), train, valid)


if __name__ == "__main__":
    main()
