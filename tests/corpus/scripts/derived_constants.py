"""Constants computed from constants, the linear scaling rule included."""
import math

import lightning as L
import numpy as np
import torch
from lightning.pytorch.callbacks import LearningRateMonitor
from lightning.pytorch.loggers import CSVLogger
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

N_TRAIN = 320
BATCH_SIZE = 32
BASE_LR = 0.1
LR = BASE_LR * BATCH_SIZE / 256
EPOCHS = 2 * 10
STEPS_PER_EPOCH = math.ceil(N_TRAIN / BATCH_SIZE)
TOTAL_STEPS = EPOCHS * STEPS_PER_EPOCH
WARMUP = TOTAL_STEPS // 10
HIDDEN = 2 ** 6
BOTTLENECK = HIDDEN // 2
VERSION = "baseline"
OUT = f"Models/Artifacts/{VERSION}"


def warm_then_cosine(step):
    if step < WARMUP:
        return (step + 1) / WARMUP
    return 0.5 * (1 + math.cos(math.pi * (step - WARMUP) / (TOTAL_STEPS - WARMUP)))


class Bottle(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.up = nn.Linear(16, HIDDEN)
        self.down = nn.Linear(HIDDEN, BOTTLENECK)
        self.out = nn.Linear(BOTTLENECK, 4)
        self.act = nn.ReLU()

    def forward(self, x):
        return self.out(self.act(self.down(self.act(self.up(x)))))

    def training_step(self, batch, batch_idx):
        loss = nn.functional.cross_entropy(self(batch[0]), batch[1])
        self.log("train_loss", loss, on_step=False, on_epoch=True)
        return loss

    def validation_step(self, batch, batch_idx):
        self.log("val_loss", nn.functional.cross_entropy(self(batch[0]), batch[1]))

    def configure_optimizers(self):
        opt = torch.optim.SGD(self.parameters(), lr=LR, momentum=0.9)
        sched = torch.optim.lr_scheduler.LambdaLR(opt, warm_then_cosine)
        return {"optimizer": opt, "lr_scheduler": {"scheduler": sched, "interval": "step"}}


def waves(split):
    z = np.load(f"dataset/prepdata/v1/{split}/signals.npz")
    return TensorDataset(torch.from_numpy(z["x"]), torch.from_numpy(z["y"]))


if __name__ == "__main__":
    L.seed_everything(6)
    L.Trainer(
        max_epochs=EPOCHS,
        logger=CSVLogger(OUT, name="logs"),
        callbacks=[LearningRateMonitor("step")],
        enable_progress_bar=False,
    ).fit(Bottle(), DataLoader(waves("train"), BATCH_SIZE, shuffle=True), DataLoader(waves("valid"), BATCH_SIZE * 2))
