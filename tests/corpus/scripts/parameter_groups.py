"""No weight decay on biases and norms, a lower rate for the backbone."""
import lightning as L
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

LR = 2e-3
WEIGHT_DECAY = 0.05


class Grouped(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.backbone = nn.Sequential(nn.Linear(16, 64), nn.LayerNorm(64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU())
        self.head = nn.Linear(32, 4)

    def forward(self, x):
        return self.head(self.backbone(x))

    def training_step(self, batch, batch_idx):
        loss = nn.functional.cross_entropy(self(batch[0]), batch[1])
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch, batch_idx):
        self.log("val_loss", nn.functional.cross_entropy(self(batch[0]), batch[1]))

    def configure_optimizers(self):
        decay = [p for p in self.backbone.parameters() if p.ndim > 1]
        no_decay = [p for p in self.backbone.parameters() if p.ndim <= 1]
        groups = [
            {"params": decay, "weight_decay": WEIGHT_DECAY, "lr": LR / 10},
            {"params": no_decay, "weight_decay": 0.0, "lr": LR / 10},
            {"params": self.head.parameters(), "weight_decay": WEIGHT_DECAY},
        ]
        optimizer = torch.optim.AdamW(groups, lr=LR)
        scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=self.trainer.max_epochs)
        return [optimizer], [scheduler]


def loader(split, **options):
    z = np.load(f"dataset/prepdata/v1/{split}/signals.npz")
    return DataLoader(TensorDataset(torch.from_numpy(z["x"]), torch.from_numpy(z["y"])), batch_size=32, **options)


if __name__ == "__main__":
    L.seed_everything(19)
    trainer = L.Trainer(max_epochs=12, logger=False, enable_progress_bar=False)
    trainer.fit(Grouped(), loader("train", shuffle=True, drop_last=True), loader("valid"))
