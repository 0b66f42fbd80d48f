"""Metrics over weighted samples, in numpy: thousands of resamples at once."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from progtrain.edits import distances
from progtrain.evaluation.scoring.class_statistic import class_statistic, label_statistic
from progtrain.evaluation.scoring.names import LOSS, read_name
from progtrain.evaluation.scoring.sums import Array, Statistic, Sums, mean_of, ratio, share_of
from progtrain.predictions import Predictions, counted
from progtrain.tasks import Task, has_values

__all__ = ["Array", "Statistic", "statistic_for"]

#: torchmetrics' own guard against a division by zero.
_EPSILON: Final = 1.17e-06


def statistic_for(name: str, task: Task, predictions: Predictions) -> Statistic | None:
    """The statistic that a metric is; None where it has to be computed anew on every resample.

    Args:
        name: as in METRICS of 03_eval.py.
        task: what the targets are.
        predictions: any version's; they tell the number of classes.
    """
    if name == LOSS:
        return Sums(partial(_loss_columns, task), ratio)
    read = read_name(name)
    if has_values(task):
        return _OF_VALUES.get(read.base)
    if task == "transcription":
        return _OF_TEXTS.get(read.base)
    if task == "language-modelling":
        return _OF_TOKENS.get(read.base)
    if task == "multilabel-classification":
        return label_statistic(read, predictions)
    return class_statistic(read, predictions)


def _loss_columns(task: Task, predictions: Predictions) -> Array:
    """As `mean_loss` has it: a sample weighs as many tokens or pixels as it has."""
    count = len(predictions.losses)
    if has_values(task) or predictions.targets.ndim == 1:
        weights = np.ones(count)
    else:
        weights = counted(predictions).reshape(count, -1).sum(axis=1).astype(np.float64)
    losses = np.where(weights > 0, predictions.losses.astype(np.float64), 0.0)
    return np.stack([losses * weights, weights], axis=1)


# --- numbers ------------------------------------------------------------------------------------


def _error(predictions: Predictions) -> Array:
    targets = predictions.targets.astype(np.float64)
    error: Array = predictions.answers.astype(np.float64).reshape(targets.shape) - targets
    return error


def _relative_error(predictions: Predictions) -> Array:
    scale: Array = np.maximum(np.abs(predictions.targets.astype(np.float64)), _EPSILON)
    return np.abs(_error(predictions)) / scale


def _symmetric_error(predictions: Predictions) -> Array:
    targets = predictions.targets.astype(np.float64)
    answers = predictions.answers.astype(np.float64).reshape(targets.shape)
    return np.asarray(2 * np.abs(answers - targets) / np.maximum(np.abs(answers) + np.abs(targets), _EPSILON))


def _r2_columns(predictions: Predictions) -> Array:
    targets = predictions.targets.astype(np.float64).reshape(len(predictions.targets), -1)
    centred = targets - targets.mean(axis=0)  # the same for every version; keeps digits in the variance
    residual = _error(predictions).reshape(targets.shape)
    return np.concatenate([residual**2, centred**2, centred], axis=1)


def _r2(totals: Array) -> Array:
    residual, square, mean = np.split(totals, 3, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        values: Array = (1 - residual / (square - mean**2)).mean(axis=1)
    return values


def _root(totals: Array) -> Array:
    return np.sqrt(totals[:, 0])


def _squared_error(predictions: Predictions) -> Array:
    return _error(predictions) ** 2


_OF_VALUES: Final[dict[str, Statistic]] = {
    "meansquarederror": mean_of(_squared_error),
    "rootmeansquarederror": mean_of(_squared_error, _root),
    "meanabsoluteerror": mean_of(lambda predictions: np.abs(_error(predictions))),
    "meanabsolutepercentageerror": mean_of(_relative_error),
    "symmetricmeanabsolutepercentageerror": mean_of(_symmetric_error),
    "r2score": Sums(_r2_columns, _r2),
}


# --- texts and tokens ---------------------------------------------------------------------------


def _error_rate(symbols: Callable[[str], list[str]]) -> Statistic:
    """Edits over symbols of the truth, summed over all samples before they are divided."""

    def columns(predictions: Predictions) -> Array:
        truths = [symbols(text) for text in predictions.targets.tolist()]
        errors = distances([symbols(text) for text in predictions.answers.tolist()], truths)
        return np.stack([errors, [len(truth) for truth in truths]], axis=1).astype(np.float64)

    return Sums(columns, ratio)


_OF_TEXTS: Final[dict[str, Statistic]] = {
    "charerrorrate": _error_rate(list),
    "worderrorrate": _error_rate(str.split),
    "exactmatch": mean_of(lambda predictions: predictions.answers == predictions.targets),
}


def _log_probabilities(predictions: Predictions) -> NDArray[np.generic]:
    return predictions.outputs.astype(np.float64)


def _perplexity(totals: Array) -> Array:
    return np.exp(-ratio(totals))


_OF_TOKENS: Final[dict[str, Statistic]] = {
    "perplexity": share_of(_log_probabilities, _perplexity),
    "accuracy": share_of(lambda predictions: predictions.answers == predictions.targets),
}
