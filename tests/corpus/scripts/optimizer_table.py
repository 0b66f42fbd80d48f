"""Optimizers and schedulers picked from tables by a key of the config."""
import lightning as L
import numpy as np
import torch
from torch import nn

CONFIG = {
    "data": {"root": "dataset/prepdata/v1", "batch_size": 20},
    "model": {"channels": [8, 16], "activation": "relu"},
    "optim": {"name": "adamw", "kwargs": {"lr": 2e-3, "weight_decay": 0.01}},
    "sched": {"name": "step", "kwargs": {"step_size": 4, "gamma": 0.5}},
    "epochs": 10,
    "seed": 3,
}

OPTIMIZERS = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW}
SCHEDULERS = {"step": torch.optim.lr_scheduler.StepLR, "cosine": torch.optim.lr_scheduler.CosineAnnealingLR}
ACTIVATIONS = {"relu": nn.ReLU, "gelu": nn.GELU}


class PictureNet(L.LightningModule):
    def __init__(self, config):
        super().__init__()
        self.config = config
        act = ACTIVATIONS[config["model"]["activation"]]
        c1, c2 = config["model"]["channels"]
        self.net = nn.Sequential(
            nn.Conv2d(1, c1, 3, padding=1), act(), nn.MaxPool2d(2),
            nn.Conv2d(c1, c2, 3, padding=1), act(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(c2 * 9, 4),
        )

    def forward(self, x):
        return self.net(x)

    def training_step(self, batch, _):
        x, y = batch
        loss = nn.functional.cross_entropy(self(x), y)
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch, _):
        x, y = batch
        self.log("val_loss", nn.functional.cross_entropy(self(x), y))

    def configure_optimizers(self):
        o, s = self.config["optim"], self.config["sched"]
        optimizer = OPTIMIZERS[o["name"]](self.parameters(), **o["kwargs"])
        scheduler = SCHEDULERS[s["name"]](optimizer, **s["kwargs"])
        return {"optimizer": optimizer, "lr_scheduler": scheduler}


def make(split):
    z = np.load(f"{CONFIG['data']['root']}/{split}/pictures.npz")
    x = torch.from_numpy(z["images"]).float().unsqueeze(1) / 255
    ds = torch.utils.data.TensorDataset(x, torch.from_numpy(z["labels"]))
    return torch.utils.data.DataLoader(ds, CONFIG["data"]["batch_size"], shuffle=split == "train")


L.seed_everything(CONFIG["seed"])
L.Trainer(max_epochs=CONFIG["epochs"], enable_progress_bar=False, logger=False).fit(
    PictureNet(CONFIG), make("train"), make("valid")
)
