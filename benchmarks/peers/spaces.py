"""What an engineer who tunes the weak baseline with Optuna would let it choose from.

It is wide on purpose: it has the changes that matter most on these data (convolutions, standardized inputs, the
logarithm of the target) as switches, which somebody had to know of to write them down.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from optuna.trial import Trial
from peers.tasks import Task


@dataclass(frozen=True)
class Settings:
    """One training of a peer; the defaults are what does nothing."""

    optimizer: str
    learning_rate: float
    weight_decay: float
    schedule: str
    batch_size: int
    width: int
    depth: int
    dropout: float
    normalization: bool
    standardized: bool
    label_smoothing: float = 0.0
    convolutions: bool = False
    augmentation: bool = False
    target: str = "raw"
    loss: str = "mse"
    activation: str = "relu"
    mixup: float = 0.0
    noise: float = 0.0


def draw(task: Task, trial: Trial) -> Settings:
    """A point of the task's space: what all tasks share, and the switches of its kind."""
    optimizer = trial.suggest_categorical("optimizer", ["sgd", "momentum", "adamw"])
    low, high = (1e-4, 3e-2) if optimizer == "adamw" else (1e-3, 1.0)
    return Settings(
        optimizer=optimizer,
        learning_rate=trial.suggest_float(f"learning_rate_{optimizer}", low, high, log=True),
        weight_decay=trial.suggest_float("weight_decay", 1e-6, 1e-1, log=True),
        schedule=trial.suggest_categorical("schedule", ["constant", "cosine", "one-cycle"]),
        batch_size=trial.suggest_categorical("batch_size", [16, 32, 64, 128, 256]),
        width=trial.suggest_categorical("width", [32, 64, 128, 256]),
        depth=trial.suggest_int("depth", 1, 4),
        dropout=trial.suggest_float("dropout", 0.0, 0.5),
        normalization=trial.suggest_categorical("normalization", [False, True]),
        standardized=trial.suggest_categorical("standardized", [False, True]),
        **(_of_values(trial) if task.values else _of_classes(task, trial)),
    )


def _of_values(trial: Trial) -> dict[str, object]:
    return {
        "target": trial.suggest_categorical("target", ["raw", "standardized", "logarithm"]),
        "loss": trial.suggest_categorical("loss", ["mse", "l1"]),
    }


def _of_classes(task: Task, trial: Trial) -> dict[str, object]:
    smoothing = {"label_smoothing": trial.suggest_float("label_smoothing", 0.0, 0.2)}
    if task.shape is None:
        return smoothing
    switches = ("convolutions", "augmentation")
    return smoothing | {name: trial.suggest_categorical(name, [False, True]) for name in switches}


_BASELINE: Final = {
    "weight_decay": 1e-6,
    "schedule": "constant",
    "batch_size": 64,
    "width": 64,
    "depth": 2,
    "dropout": 0.0,
    "normalization": False,
    "standardized": False,
}


def baseline(task: Task) -> dict[str, object]:
    """The point of the space that is the weak baseline, everybody's first training."""
    if task.values:
        adam = {"optimizer": "adamw", "learning_rate_adamw": 0.001}
        return {**_BASELINE, **adam, "target": "raw", "loss": "mse"}
    switches = {} if task.shape is None else {"convolutions": False, "augmentation": False}
    return {**_BASELINE, "optimizer": "sgd", "learning_rate_sgd": 0.01, "label_smoothing": 0.0, **switches}
