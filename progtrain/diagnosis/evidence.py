"""What the rules look at, and the arithmetic on curves that several of them share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from progtrain.curves import Curves, Point, by_epoch
from progtrain.diagnosis.trivial import share_of_trivial
from progtrain.predictions import Predictions
from progtrain.records import Comparison, Layer, Snapshot
from progtrain.step_records import Attempt
from progtrain.tasks import Task, has_classes, has_values, task_of

Series = NDArray[np.float64]

LEAST_FALL = 0.004
"""The share of its first value that a loss must fall by to be called falling."""
STRAIGHT = 0.5
"""A straight line falls as far in its second half as in its first; a settling curve far less."""
LEAST_POINTS = 5
"""How many epochs it takes at least to tell a straight fall from a settling one."""


@dataclass(frozen=True)
class Symptom:
    """What a rule found: the numbers that show it, how severe it is (0..1), and in words."""

    numbers: dict[str, float]
    severity: float
    message: str


@dataclass(frozen=True)
class Evidence:
    """Everything known of one trained and evaluated version.

    Args:
        curves: what the training logged.
        snapshot: what was trained.
        predictions: its answers on the validation set, or None where there are none.
        task_type: as in stats.json, such as `classification` or `regression`.
        comparison: its primary metric against its parent's.
        history: every version so far, oldest first; the last one is this version's own.
        inputs: `[N, ...]` some validation inputs as the model gets them, or None where they are no plain arrays.
        dead_shares: for every ReLU the share of its units that are zero on all validation samples looked at.
    """

    curves: Curves
    snapshot: Snapshot
    predictions: Predictions | None
    task_type: str
    comparison: Comparison
    history: tuple[Attempt, ...] = ()
    inputs: NDArray[np.floating] | None = None
    dead_shares: tuple[float, ...] = ()

    @property
    def train(self) -> Series:
        """`[epochs]` mean training loss; empty where it is not logged or not finite throughout."""
        return _finite(self.curves.train_loss)

    @property
    def valid(self) -> Series:
        """`[epochs]` validation loss; empty where it is not logged or not finite throughout."""
        return _finite(self.curves.valid_loss)

    @property
    def task(self) -> Task:
        """What the targets are."""
        return task_of(self.task_type)

    @property
    def classifies(self) -> bool:
        """Whether every target is one class of several: of a sample, of a token, of a pixel."""
        return has_classes(self.task)

    @property
    def values(self) -> bool:
        """Whether every target is a number on a scale."""
        return has_values(self.task)

    @property
    def share_left(self) -> float | None:
        """The share of a trivial predictor's error that is left; without predictions, last over first training loss."""
        train, predictions = self.train, self.predictions
        if predictions is None:
            return float(train[-1] / train[0]) if len(train) > 1 and train[0] > 0 else None
        return share_of_trivial(self.task, predictions, float(train[-1]) if len(train) else None)


Rule = Callable[[Evidence], Symptom | None]


def weight_layers(snapshot: Snapshot) -> tuple[Layer, ...]:
    """The dense and convolutional layers, in the order of the module tree."""
    return tuple(layer for layer in snapshot.layers if layer.type.removeprefix("Lazy").startswith(("Linear", "Conv")))


def tail(values: Series, share: float) -> Series:
    """The last `share` of the values, three at least."""
    return values[-max(3, round(len(values) * share)) :]


def detrended(values: Series) -> Series:
    """The values less their least-squares line."""
    index = np.arange(len(values))
    slope, intercept = np.polyfit(index, values, 1)
    return np.asarray(values - (slope * index + intercept), dtype=np.float64)


def straightness(values: Series) -> float:
    """Fall over the second half of the values over the fall over the first; 0 where there is no steady fall."""
    middle = (len(values) - 1) // 2
    first, second = values[0] - values[middle], values[middle] - values[-1]
    least = LEAST_FALL * abs(float(values[0])) / 2
    return float(second / first) if first > least and second > least else 0.0


def steadiness(evidence: Evidence, values: Series) -> float:
    """How straight a loss falls while the rate is there to make it fall; 0 where there is no steady fall.

    A rate that decays to zero flattens every curve, also one whose rate is far too small: with a scheduler the first
    half of the epochs counts, with none all of them.
    """
    return straightness(values[: max(LEAST_POINTS, -(-len(values) // 2))] if evidence.snapshot.rate_changes else values)


def _finite(points: tuple[Point, ...]) -> Series:
    values = np.array(by_epoch(points), dtype=np.float64)
    return values if np.isfinite(values).all() else np.empty(0)
