"""One training of a peer, in plain PyTorch: the epochs, the data and the choice of the checkpoint of the baseline."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

import torch
import torch.nn.functional as F
from peers.spaces import Settings
from peers.tasks import EPOCHS, Table, Task
from torch import Tensor, nn

Rows = tuple[Tensor, Tensor]
ACTIVATIONS: Final = {"relu": nn.ReLU, "gelu": nn.GELU, "silu": nn.SiLU}
Distance = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Scores:
    """Accuracy, or mean absolute error, of the checkpoint whose validation loss is best; losses are one an epoch."""

    valid: float
    test: float
    train_losses: tuple[float, ...]
    valid_losses: tuple[float, ...]


@dataclass(frozen=True)
class Fitted:
    """The weights at the best validation loss, and the losses of every epoch."""

    weights: dict[str, Tensor]
    train_losses: tuple[float, ...]
    valid_losses: tuple[float, ...]


@dataclass(frozen=True)
class Scale:
    """How a target is learnt, and taken back."""

    forth: Callable[[Tensor], Tensor]
    back: Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Prepared:
    """A network before its first step, and the splits as it gets them."""

    network: nn.Module
    answer: Callable[[Tensor], Tensor]
    ready: Mapping[str, Rows]
    data: Mapping[str, Rows]
    scale: Scale


def prepared(task: Task, splits: Mapping[str, Table], settings: Settings, seed: int) -> Prepared:
    """Draw a network, and bring inputs and targets to its scale."""
    torch.manual_seed(seed)
    data = {name: (torch.from_numpy(table.x), torch.from_numpy(table.y)) for name, table in splits.items()}
    x, y = data["train"]
    mean, spread = (x.mean(dim=0), x.std(dim=0)) if settings.standardized else (torch.tensor(0.0), torch.tensor(1.0))
    spread = torch.where(spread == 0, 1.0, spread)
    scale = _scale(settings.target, y)
    ready = {name: ((x - mean) / spread, scale.forth(y)) for name, (x, y) in data.items()}
    outputs = 1 if task.values else int(max(y.max() for _, y in data.values())) + 1
    network = _network(settings, x.shape[1], outputs, task.shape)
    answer: Callable[[Tensor], Tensor] = (lambda x: network(x).squeeze(-1)) if task.values else network
    return Prepared(network, answer, ready, data, scale)


def train(task: Task, splits: Mapping[str, Table], settings: Settings, seed: int) -> Scores:
    """Train once, and score the best checkpoint on the validation and on the test split."""
    made = prepared(task, splits, settings, seed)
    fitted = _fit(made.network, made.answer, made.ready, settings, task)
    made.network.load_state_dict(fitted.weights)
    made.network.eval()
    with torch.no_grad():
        answers = {name: made.answer(made.ready[name][0]) for name in ("valid", "test")}
    losses = fitted.train_losses, fitted.valid_losses
    targets = {name: targets for name, (_, targets) in made.data.items()}
    if task.values:
        reached = (float((made.scale.back(each) - targets[name]).abs().mean()) for name, each in answers.items())
    else:
        reached = (float((each.argmax(dim=1) == targets[name]).float().mean()) for name, each in answers.items())
    return Scores(*reached, *losses)


def _scale(target: str, values: Tensor) -> Scale:
    if target == "raw":
        return Scale(lambda y: y, lambda y: y)
    learnt = values.log() if target == "logarithm" else values
    mean, spread = learnt.mean(), learnt.std()
    if target == "logarithm":
        return Scale(lambda y: (y.log() - mean) / spread, lambda y: (y * spread + mean).exp())
    return Scale(lambda y: (y - mean) / spread, lambda y: y * spread + mean)


def distances(settings: Settings, task: Task) -> tuple[Distance, Distance]:
    """What is minimized in training, and what chooses the checkpoint."""
    if task.values:
        distance = {"mse": F.mse_loss, "l1": F.l1_loss}[settings.loss]
        return distance, distance
    return partial(F.cross_entropy, label_smoothing=settings.label_smoothing), F.cross_entropy


def _fit(
    network: nn.Module,
    answer: Callable[[Tensor], Tensor],
    data: Mapping[str, Rows],
    settings: Settings,
    task: Task,
) -> Fitted:
    x, y = data["train"]
    loss_of, measured_by = distances(settings, task)
    optimizer, scheduler = optimizer_of(network, settings, -(-len(x) // settings.batch_size) * EPOCHS)
    best, train_losses, valid_losses = copy.deepcopy(network.state_dict()), [], []
    for _ in range(EPOCHS):
        network.train()
        losses = []
        for rows in torch.randperm(len(x)).split(settings.batch_size):
            if len(rows) == 1:
                continue  # of a single sample batch normalization knows no spread
            inputs = _augmented(x[rows], task) if settings.augmentation else x[rows]
            if settings.noise:
                inputs = inputs + settings.noise * torch.randn_like(inputs)
            loss = _mixed_up(settings.mixup, answer, loss_of, inputs, y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            scheduler.step()
            losses.append(float(loss.detach()))
        network.eval()
        with torch.no_grad():
            valid = float(measured_by(answer(data["valid"][0]), data["valid"][1]))
        if valid < min(valid_losses, default=float("inf")):
            best = copy.deepcopy(network.state_dict())
        train_losses.append(sum(losses) / len(losses))
        valid_losses.append(valid)
    return Fitted(best, tuple(train_losses), tuple(valid_losses))


def _mixed_up(alpha: float, answer: Callable[[Tensor], Tensor], loss_of: Distance, x: Tensor, y: Tensor) -> Tensor:
    """The batch's loss, or that of pairs of its samples blended by Beta(alpha, alpha) (arXiv 1710.09412)."""
    if not alpha:
        return loss_of(answer(x), y)
    share = float(torch.distributions.Beta(alpha, alpha).sample())
    others = torch.randperm(len(x))
    answers = answer(share * x + (1 - share) * x[others])
    return share * loss_of(answers, y) + (1 - share) * loss_of(answers, y[others])


def optimizer_of(
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


def _network(settings: Settings, features: int, outputs: int, shape: tuple[int, ...] | None) -> nn.Sequential:
    if settings.convolutions:
        assert shape is not None
        return _convolutional(settings, outputs, shape)
    parts: list[nn.Module] = []
    for layer in range(settings.depth):
        parts.append(nn.Linear(settings.width if layer else features, settings.width))
        parts += [nn.BatchNorm1d(settings.width)] if settings.normalization else []
        parts += [ACTIVATIONS[settings.activation](), nn.Dropout(settings.dropout)]
    return nn.Sequential(*parts, nn.Linear(settings.width, outputs))


def _convolutional(settings: Settings, outputs: int, shape: tuple[int, ...]) -> nn.Sequential:
    """Of signals or of images, halved after every layer while there is something to halve."""
    image = len(shape) == 2
    convolution, norm, pool = (
        (nn.Conv2d, nn.BatchNorm2d, nn.MaxPool2d) if image else (nn.Conv1d, nn.BatchNorm1d, nn.MaxPool1d)
    )
    parts: list[nn.Module] = [nn.Unflatten(1, (1, *shape))]
    for layer in range(settings.depth):
        parts.append(convolution(settings.width if layer else 1, settings.width, 3 if image else 5, padding="same"))
        parts += [norm(settings.width)] if settings.normalization else []
        parts.append(nn.ReLU())
        parts += [pool(2)] if min(shape) >> layer > 1 else []
        parts.append(nn.Dropout(settings.dropout))
    return nn.Sequential(*parts, nn.Flatten(), nn.LazyLinear(outputs))


def _augmented(x: Tensor, task: Task) -> Tensor:
    """Moved by up to two places along the last axis, with a little noise."""
    assert task.shape is not None
    moved = torch.roll(x.unflatten(1, task.shape), int(torch.randint(-2, 3, ())), dims=-1).flatten(1)
    return moved + 0.05 * x.std() * torch.randn_like(x)
