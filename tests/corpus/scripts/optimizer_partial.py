"""A training task that is told how its optimizer and its schedule are made (functools.partial)."""
from __future__ import annotations

import functools
from typing import Any, Callable

import lightning as L
import numpy as np
import torch
import torch.nn.functional as F
from torch.optim.lr_scheduler import ExponentialLR
from torch.utils.data import DataLoader, TensorDataset

OptimizerFn = Callable[[Any], torch.optim.Optimizer]


class Task(L.LightningModule):
    def __init__(self, net: torch.nn.Module, optimizer_fn: OptimizerFn, scheduler_fn=None) -> None:
        super().__init__()
        self.net = net
        self._optimizer_fn, self._scheduler_fn = optimizer_fn, scheduler_fn

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.net(x)

    def training_step(self, batch, batch_idx: int) -> torch.Tensor:
        loss = F.cross_entropy(self(batch[0]), batch[1])
        self.log("loss/train", loss)
        return loss

    def validation_step(self, batch, batch_idx: int) -> None:
        self.log("loss/valid", F.cross_entropy(self(batch[0]), batch[1]), on_epoch=True)

    def configure_optimizers(self):
        optimizer = self._optimizer_fn(self.parameters())
        if self._scheduler_fn is None:
            return optimizer
        return [optimizer], [self._scheduler_fn(optimizer)]


def mlp(*sizes: int) -> torch.nn.Sequential:
    layers: list[torch.nn.Module] = []
    for i, o in zip(sizes, sizes[1:]):
        layers += [torch.nn.Linear(i, o), torch.nn.LeakyReLU(0.1)]
    return torch.nn.Sequential(*layers[:-1])


def main() -> None:
    L.seed_everything(8, workers=True)
    arrays = {s: np.load(f"dataset/prepdata/v1/{s}/signals.npz") for s in ("train", "valid")}
    sets = {s: TensorDataset(torch.from_numpy(a["x"]), torch.from_numpy(a["y"])) for s, a in arrays.items()}
    task = Task(
        mlp(16, 48, 24, 4),
        optimizer_fn=functools.partial(torch.optim.RAdam, lr=5e-3, betas=(0.9, 0.99)),
        scheduler_fn=functools.partial(ExponentialLR, gamma=0.95),
    )
    trainer = L.Trainer(max_epochs=13, deterministic=True, logger=False, enable_progress_bar=False)
    trainer.fit(task, DataLoader(sets["train"], 32, shuffle=True), DataLoader(sets["valid"], 32))


if __name__ == "__main__":
    main()
