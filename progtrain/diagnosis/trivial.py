"""What a predictor that has seen no input would still get wrong: the scale on which an error is large or small."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from progtrain.edits import distances
from progtrain.predictions import Predictions, counted
from progtrain.tasks import Task, has_classes, has_values


def share_of_trivial(task: Task, predictions: Predictions, train_loss: float | None) -> float | None:
    """The share of a trivial predictor's error that is left.

    Numbers: squared error over the variance of the targets (`1 - R²`). Texts: the character error rate, which is 1
    for an empty answer. Otherwise the last training loss over that of a guess: uniform over the classes, by the
    labels' or the tokens' own frequencies where most of them are rare.

    Args:
        task: what the targets are.
        predictions: of the version.
        train_loss: of the last epoch; None where it is not logged.

    Returns:
        None where there is nothing to hold it against.
    """
    if has_values(task):
        return _unexplained(predictions)
    if task == "transcription":
        return _character_errors(predictions)
    if train_loss is None:
        return None
    guess = _loss_of_a_guess(task, predictions)
    return train_loss / guess if guess > 0 else None


def _unexplained(predictions: Predictions) -> float | None:
    known = counted(predictions)
    targets = predictions.targets[known].astype(np.float64)
    answers = predictions.answers.reshape(known.shape)[known].astype(np.float64)
    variance = float(targets.var()) if targets.size else 0.0
    return float(np.mean((answers - targets) ** 2) / variance) if variance > 0 else None


def _character_errors(predictions: Predictions) -> float | None:
    truths = predictions.targets.tolist()
    length = sum(map(len, truths))
    return float(distances(predictions.answers.tolist(), truths).sum()) / length if length else None


def _loss_of_a_guess(task: Task, predictions: Predictions) -> float:
    known = counted(predictions)
    if has_classes(task):
        binary = predictions.outputs.ndim == predictions.targets.ndim
        return math.log(max(2 if binary else predictions.outputs.shape[1], 2))
    if task == "multilabel-classification":
        shares = ((predictions.targets == 1) & known).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
        return float(np.mean(_entropy(np.stack([shares, 1 - shares]))))
    _, counts = np.unique(predictions.targets[known], return_counts=True)
    return float(_entropy(counts / counts.sum())) if len(counts) else 0.0


def _entropy(shares: NDArray[np.floating]) -> NDArray[np.floating]:
    """Over the first axis, in nats."""
    logs = np.log(shares, out=np.zeros_like(shares), where=shares > 0)
    return np.asarray(-(shares * logs).sum(axis=0))
