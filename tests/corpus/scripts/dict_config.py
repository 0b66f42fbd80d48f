import lightning as L
import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

cfg = {
    "seed": 4,
    "data": {"root": "dataset/prepdata/v1", "batch_size": 32, "workers": 0},
    "model": {"hidden": [64, 32], "dropout": 0.25},
    "optim": {"name": "Adam", "lr": 0.003, "weight_decay": 1e-5},
    "trainer": {"max_epochs": 16, "logger": False, "enable_progress_bar": False, "precision": "32-true"},
}


class Net(L.LightningModule):
    def __init__(self, cfg):
        super().__init__()
        self.cfg = cfg
        sizes = [16] + cfg["model"]["hidden"]
        layers = []
        for n_in, n_out in zip(sizes, sizes[1:]):
            layers += [nn.Linear(n_in, n_out), nn.ReLU(), nn.Dropout(cfg["model"]["dropout"])]
        layers.append(nn.Linear(sizes[-1], 4))
        self.net = nn.Sequential(*layers)
        self.loss_fn = nn.CrossEntropyLoss(label_smoothing=0.05)

    def training_step(self, batch, batch_idx):
        loss = self.loss_fn(self.net(batch[0]), batch[1])
        self.log("loss/train", loss)
        return loss

    def validation_step(self, batch, batch_idx):
        self.log("loss/val", self.loss_fn(self.net(batch[0]), batch[1]))

    def configure_optimizers(self):
        optim = self.cfg["optim"]
        cls = getattr(torch.optim, optim["name"])
        return cls(self.parameters(), lr=optim["lr"], weight_decay=optim["weight_decay"])


def data(cfg, split):
    z = np.load(f'{cfg["data"]["root"]}/{split}/signals.npz')
    return DataLoader(
        TensorDataset(torch.tensor(z["x"]), torch.tensor(z["y"])),
        batch_size=cfg["data"]["batch_size"],
        num_workers=cfg["data"]["workers"],
        shuffle=split == "train",
    )


if __name__ == "__main__":
    L.seed_everything(cfg["seed"])
    trainer = L.Trainer(**cfg["trainer"])
    trainer.fit(Net(cfg), data(cfg, "train"), data(cfg, "valid"))
