"""The trainings of the benchmark: data sets in which nothing is amiss, and faults with the findings they should raise.

What a fault should raise was written down before the first run; findings that were made later (`tiny-rate`,
`huge-rate`, `excessive-decay`, `dead-units`, `bottleneck`) were added to the faults that they were made for, and
`dead-units`, which are counted, to those that kill them.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Final

import numpy as np
from mnist1d.data import get_dataset_args, make_dataset
from sklearn.datasets import load_digits

DIAMONDS = Path(__file__).parents[2] / "examples" / "tabular" / "build.py"


@dataclass(frozen=True)
class Split:
    """`x` `[N, features]`, `y` `[N]`."""

    x: np.ndarray
    y: np.ndarray


@dataclass(frozen=True)
class Data:
    """A data set in its two splits.

    Args:
        constants: those of the script that it asks for.
        true: findings that are true of every training on it.
    """

    task_type: str
    train: Split
    valid: Split
    constants: Mapping[str, object]
    true: tuple[str, ...] = ()


Spoil = Callable[[Split, np.random.Generator], Split]


@dataclass(frozen=True)
class Fault:
    """One thing wrong with a training.

    Args:
        expected: findings of which one at least must be reported.
        also: findings that are true of such a training too, and are not held against the diagnosis.
        factors: constants of the script that are multiplied.
        constants: constants of the script that get another value.
        train: what happens to the training split.
        both: what happens to both splits.
        only: task types it can be planted in; empty for all.
    """

    expected: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    factors: Mapping[str, float] = field(default_factory=dict)
    constants: Mapping[str, object] = field(default_factory=dict)
    train: Spoil | None = None
    both: Spoil | None = None
    only: tuple[str, ...] = ()


def signals() -> Data:
    """MNIST-1D: ten classes of signals of 40 values."""
    made = make_dataset(get_dataset_args())
    x, y = made["x"].astype(np.float32), made["y"]
    constants = {"FEATURES": 40, "CHANNELS": 16, "BATCH_SIZE": 128}
    return Data("classification", Split(x[:3200], y[:3200]), Split(x[3200:], y[3200:]), constants)


def digits() -> Data:
    """scikit-learn's 8x8 images of ten digits."""
    x, y = load_digits(return_X_y=True)
    x, order = (x / 16).astype(np.float32), np.random.default_rng(0).permutation(len(y))
    x, y = x[order], y[order]
    return Data("classification", Split(x[:1200], y[:1200]), Split(x[1200:], y[1200:]), {}, ("local-structure",))


def diamonds() -> Data:
    """Nine measures and grades of a diamond, standardized, and the logarithm of its price, standardized."""
    specification = importlib.util.spec_from_file_location("diamonds", DIAMONDS)
    assert specification is not None
    assert specification.loader is not None
    module: ModuleType = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    rows = module.diamonds().sample(2900, random_state=0)
    x, y = rows[module.FEATURES].to_numpy("float32"), np.log(rows["price"].to_numpy("float32"))
    x, y = (x - x.mean(axis=0)) / x.std(axis=0), (y - y.mean()) / y.std()
    constants = {"FEATURES": 9, "OUTPUTS": 1, "BATCH_SIZE": 96}
    return Data("tabular-regression", Split(x[:2400], y[:2400]), Split(x[2400:], y[2400:]), constants)


def in_order(split: Split, random: np.random.Generator) -> Split:
    order = split.y.argsort(kind="stable")
    return Split(split.x[order], split.y[order])


def in_raw_units(split: Split, random: np.random.Generator) -> Split:
    return Split(split.x * np.float32(1000) + np.float32(5000), split.y)


def rare_class(split: Split, random: np.random.Generator) -> Split:
    kept = (split.y != 3) | (random.random(len(split.y)) < 0.05)
    kept[np.flatnonzero(split.y == 3)[:2]] = True  # a class that is nowhere is another fault
    return Split(split.x[kept], split.y[kept])


def wrong_labels(split: Split, random: np.random.Generator) -> Split:
    wrong = random.random(len(split.y)) < 0.3
    return Split(split.x, np.where(wrong, random.permutation(split.y), split.y))


def outliers(split: Split, random: np.random.Generator) -> Split:
    wrong = random.random(len(split.y)) < 0.03
    return Split(split.x, (split.y + wrong * random.normal(0, 10, len(split.y))).astype(np.float32))


def long_tail(split: Split, random: np.random.Generator) -> Split:
    return Split(split.x, np.exp(1.2 * split.y))


def few(split: Split, random: np.random.Generator) -> Split:
    return Split(split.x[:100], split.y[:100])


DATA: Final[Mapping[str, Callable[[], Data]]] = {"mnist1d": signals, "digits": digits, "diamonds": diamonds}
CLASSES = ("classification",)
VALUES = ("tabular-regression",)

FAULTS: Final[Mapping[str, Fault]] = {
    "healthy": Fault(),
    "rate x100": Fault(
        ("diverged", "huge-rate", "early-instability", "oscillating", "late-jitter", "underfitting"),
        ("dead-units", "gradient-spikes", "still-improving", "slow"),
        factors={"LEARNING_RATE": 100},
    ),
    "rate /100": Fault(("tiny-rate", "slow", "still-improving"), ("underfitting",), factors={"LEARNING_RATE": 0.01}),
    "sorted, no shuffle": Fault(
        ("unshuffled",),
        ("oscillating", "late-jitter", "overfitting", "underfitting", "early-instability", "best-early", "diverged"),
        constants={"SHUFFLE": False},
        train=in_order,
    ),
    "weight decay 100": Fault(
        ("excessive-decay", "underfitting"),
        ("dead-units", "slow", "still-improving", "oscillating", "late-jitter"),
        constants={"WEIGHT_DECAY": 100.0},
    ),
    "dead ReLU": Fault(
        ("dead-units", "underfitting"), ("slow", "still-improving"), constants={"ACTIVATION_SHIFT": -10.0}
    ),
    "unscaled inputs": Fault(
        ("unscaled-inputs",), ("bad-initial-loss", "slow", "oscillating", "late-jitter"), both=in_raw_units
    ),
    "rare class": Fault(("imbalanced",), ("overfitting",), both=rare_class, only=CLASSES),
    "skewed target": Fault(("skewed-target",), ("heavy-tailed-residuals", "overfitting"), both=long_tail, only=VALUES),
    "label noise": Fault(("overfitting",), ("underfitting", "best-early"), both=wrong_labels, only=CLASSES),
    "outliers": Fault(
        ("heavy-tailed-residuals",), ("overfitting", "best-early", "underfitting"), both=outliers, only=VALUES
    ),
    "too few epochs": Fault(("still-improving", "slow"), ("underfitting",), constants={"EPOCHS": 5}),
    "tiny model": Fault(
        ("bottleneck", "underfitting"),
        ("slow", "still-improving"),
        constants={"HIDDEN": 2, "LAYERS": 1},
        factors={"CHANNELS": 0.125},
    ),
    "huge model, 100 samples": Fault(
        ("overfitting",),
        ("best-early",),
        constants={"HIDDEN": 512, "LAYERS": 4, "BATCH_SIZE": 20},
        train=few,
    ),
}
"""Fault -> what it is; `healthy` is none."""

TRUE_OF_ALL: Final = ("few-steps", "no-augmentation")
"""Short as these trainings are made, to be quick, each takes fewer steps than the first asks for; none is augmented."""
