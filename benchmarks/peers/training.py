"""One training of a peer, in plain PyTorch: the epochs, the data and the choice of the checkpoint of the baseline."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from peers.spaces import Settings
from torch import Tensor, nn

EPOCHS: Final = {"mnist1d": 20, "tabular": 15}
SPLITS: Final = ("train", "valid", "test")
Rows = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Scores:
    """Accuracy, or mean absolute error, of the checkpoint whose validation loss is best."""

    valid: float
    test: float


def read(example: str, prepdata: Path) -> Mapping[str, Rows]:
    """Split -> inputs and targets."""
    if example == "mnist1d":
        arrays = {split: np.load(prepdata / split / "signals.npz") for split in SPLITS}
        return {split: (torch.from_numpy(made["x"]), torch.from_numpy(made["y"])) for split, made in arrays.items()}
    tables = {split: pd.read_parquet(prepdata / split / f"{split}.parquet") for split in SPLITS}
    return {split: _of_table(made.drop(columns="sample_id")) for split, made in tables.items()}


def _of_table(rows: pd.DataFrame) -> Rows:
    values = torch.tensor(rows.drop(columns="price").to_numpy("float32"))
    return values, torch.tensor(rows["price"].to_numpy("float32"))


@dataclass(frozen=True)
class Scale:
    """How a target is learnt, and taken back."""

    forth: Callable[[Tensor], Tensor]
    back: Callable[[Tensor], Tensor]


def _scale(target: str, prices: Tensor) -> Scale:
    if target == "raw":
        return Scale(lambda y: y, lambda y: y)
    learnt = prices.log() if target == "logarithm" else prices
    mean, spread = learnt.mean(), learnt.std()
    if target == "logarithm":
        return Scale(lambda y: (y.log() - mean) / spread, lambda y: (y * spread + mean).exp())
    return Scale(lambda y: (y - mean) / spread, lambda y: y * spread + mean)


def train(example: str, data: Mapping[str, Rows], settings: Settings, seed: int) -> Scores:
    """Train once, and score the best checkpoint on the validation and on the test split."""
    torch.manual_seed(seed)
    (x, y), classes = data["train"], 10 if example == "mnist1d" else 0
    mean, spread = (x.mean(dim=0), x.std(dim=0)) if settings.standardized else (torch.tensor(0.0), torch.tensor(1.0))
    scale = Scale(lambda y: y, lambda y: y) if classes else _scale(settings.target, y)
    loss_of = F.cross_entropy if classes else {"mse": F.mse_loss, "l1": F.l1_loss}[settings.loss]
    ready = {split: ((x - mean) / spread, scale.forth(y)) for split, (x, y) in data.items()}
    network = _network(settings, x.shape[1], classes or 1)
    outputs: Callable[[Tensor], Tensor] = network if classes else lambda x: network(x).squeeze(-1)
    best = _fit(network, outputs, loss_of, ready, settings, EPOCHS[example])
    network.load_state_dict(best)
    network.eval()
    with torch.no_grad():
        answers = {split: outputs(ready[split][0]) for split in ("valid", "test")}
    if classes:
        return Scores(
            *(float((made.argmax(dim=1) == data[split][1]).float().mean()) for split, made in answers.items())
        )
    return Scores(*(float((scale.back(made) - data[split][1]).abs().mean()) for split, made in answers.items()))


def _fit(
    network: nn.Module,
    outputs: Callable[[Tensor], Tensor],
    loss_of: Callable[[Tensor, Tensor], Tensor],
    data: Mapping[str, Rows],
    settings: Settings,
    epochs: int,
) -> dict[str, Tensor]:
    """The weights at the best validation loss."""
    x, y = data["train"]
    steps = -(-len(x) // settings.batch_size) * epochs
    optimizer, scheduler = _optimizer(network, settings, steps)
    least, best = float("inf"), copy.deepcopy(network.state_dict())
    for _ in range(epochs):
        network.train()
        for rows in torch.randperm(len(x)).split(settings.batch_size):
            inputs = _augmented(x[rows]) if settings.augmentation else x[rows]
            loss = loss_of(outputs(inputs), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            scheduler.step()
        network.eval()
        with torch.no_grad():
            valid = float(loss_of(outputs(data["valid"][0]), data["valid"][1]))
        if valid < least:
            least, best = valid, copy.deepcopy(network.state_dict())
    return best


def _optimizer(
    network: nn.Module, settings: Settings, steps: int
) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
    rate, decay = settings.learning_rate, settings.weight_decay
    if settings.optimizer == "adamw":
        optimizer: torch.optim.Optimizer = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=decay)
    else:
        momentum = 0.9 if settings.optimizer == "momentum" else 0.0
        optimizer = torch.optim.SGD(network.parameters(), lr=rate, weight_decay=decay, momentum=momentum)
    schedules = torch.optim.lr_scheduler
    if settings.schedule == "one-cycle":
        return optimizer, schedules.OneCycleLR(optimizer, max_lr=rate, total_steps=steps)
    if settings.schedule == "cosine":
        return optimizer, schedules.CosineAnnealingLR(optimizer, T_max=steps)
    return optimizer, schedules.ConstantLR(optimizer, factor=1.0)


def _network(settings: Settings, features: int, outputs: int) -> nn.Sequential:
    parts: list[nn.Module] = []
    width = settings.width
    if settings.convolutions:
        parts.append(nn.Unflatten(1, (1, features)))
    for layer in range(settings.depth):
        before = width if layer else (1 if settings.convolutions else features)
        parts.append(nn.Conv1d(before, width, 5, padding=2) if settings.convolutions else nn.Linear(before, width))
        parts += [nn.BatchNorm1d(width)] if settings.normalization else []
        parts += [nn.ReLU(), *([nn.MaxPool1d(2)] if settings.convolutions else []), nn.Dropout(settings.dropout)]
    if settings.convolutions:
        parts.append(nn.Flatten())
        width *= features // 2**settings.depth
    return nn.Sequential(*parts, nn.Linear(width, outputs))


def _augmented(x: Tensor) -> Tensor:
    """Signals moved by up to two places, with a little noise."""
    moved = torch.roll(x, int(torch.randint(-2, 3, ())), dims=1)
    return moved + 0.05 * x.std() * torch.randn_like(x)
