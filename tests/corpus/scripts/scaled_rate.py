"""The rate follows the batch size (linear scaling), epochs follow a budget of steps."""
import lightning as L
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

BASE_LR, BASE_BATCH = 0.02, 16
batch_size = 48
lr = BASE_LR * batch_size / BASE_BATCH
total_steps = 140


class Linear2(L.LightningModule):
    def __init__(self, lr, width=64):
        super().__init__()
        self.lr = lr
        self.feature_extractor = nn.Sequential(nn.Linear(16, width), nn.ReLU6())
        self.classifier = nn.Linear(width, 4)

    def forward(self, x):
        return self.classifier(self.feature_extractor(x))

    def training_step(self, batch, batch_idx):
        loss = nn.functional.cross_entropy(self(batch[0]), batch[1])
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch, batch_idx):
        self.log("val_loss", nn.functional.cross_entropy(self(batch[0]), batch[1]))

    def configure_optimizers(self):
        optimizer = torch.optim.SGD(self.parameters(), lr=self.lr, momentum=0.9)
        decay = torch.optim.lr_scheduler.PolynomialLR(optimizer, total_iters=self.trainer.max_steps, power=1.0)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": decay, "interval": "step"}}


def data(split):
    z = np.load(f"dataset/prepdata/v1/{split}/signals.npz")
    return TensorDataset(torch.from_numpy(z["x"]), torch.from_numpy(z["y"]))


def main():
    L.seed_everything(2)
    trainer = L.Trainer(max_steps=total_steps, check_val_every_n_epoch=2, logger=False, enable_progress_bar=False)
    trainer.fit(Linear2(lr), DataLoader(data("train"), batch_size, shuffle=True), DataLoader(data("valid"), batch_size))


if __name__ == "__main__":
    main()
