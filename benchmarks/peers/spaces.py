"""What an engineer who tunes the example baselines with Optuna would let it choose from.

It is wide on purpose: it has the changes that matter most on these data (convolutions, standardized inputs, the
logarithm of the target) as switches, which somebody had to know of to write them down.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from optuna.trial import Trial


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
    convolutions: bool = False
    augmentation: bool = False
    standardized: bool = False
    target: str = "raw"
    loss: str = "mse"


def _common(trial: Trial) -> dict[str, object]:
    optimizer = trial.suggest_categorical("optimizer", ["sgd", "momentum", "adamw"])
    low, high = (1e-4, 3e-2) if optimizer == "adamw" else (1e-3, 1.0)
    return {
        "optimizer": optimizer,
        "learning_rate": trial.suggest_float(f"learning_rate_{optimizer}", low, high, log=True),
        "weight_decay": trial.suggest_float("weight_decay", 1e-6, 1e-1, log=True),
        "schedule": trial.suggest_categorical("schedule", ["constant", "cosine", "one-cycle"]),
        "batch_size": trial.suggest_categorical("batch_size", [32, 64, 128, 256]),
        "width": trial.suggest_categorical("width", [32, 64, 128, 256]),
        "depth": trial.suggest_int("depth", 1, 4),
        "dropout": trial.suggest_float("dropout", 0.0, 0.5),
        "normalization": trial.suggest_categorical("normalization", [False, True]),
    }


def signals(trial: Trial) -> Settings:
    return Settings(
        **_common(trial),
        convolutions=trial.suggest_categorical("convolutions", [False, True]),
        augmentation=trial.suggest_categorical("augmentation", [False, True]),
    )


def table(trial: Trial) -> Settings:
    return Settings(
        **_common(trial),
        standardized=trial.suggest_categorical("standardized", [False, True]),
        target=trial.suggest_categorical("target", ["raw", "standardized", "logarithm"]),
        loss=trial.suggest_categorical("loss", ["mse", "l1"]),
    )


@dataclass(frozen=True)
class Space:
    """An example's search space, and the point in it that is the example's baseline (its first training)."""

    draw: Callable[[Trial], Settings]
    baseline: Mapping[str, object]


_BASELINE: Final = {
    "weight_decay": 1e-6,
    "schedule": "constant",
    "batch_size": 64,
    "width": 64,
    "depth": 2,
    "dropout": 0.0,
    "normalization": False,
}

SPACES: Final[Mapping[str, Space]] = {
    "mnist1d": Space(
        signals,
        {**_BASELINE, "optimizer": "sgd", "learning_rate_sgd": 0.01, "convolutions": False, "augmentation": False},
    ),
    "tabular": Space(
        table,
        {
            **_BASELINE,
            "optimizer": "adamw",
            "learning_rate_adamw": 0.001,
            "standardized": False,
            "target": "raw",
            "loss": "mse",
        },
    ),
}
