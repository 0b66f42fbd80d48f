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
from progtrain.evaluation.scoring.value_statistic import OF_VALUES
from progtrain.predictions import Predictions, counted
from progtrain.tasks import Task, has_values

__all__ = ["Array", "Statistic", "statistic_for"]


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
        return OF_VALUES.get(read.base)
    if task == "transcription":
        return _OF_TEXTS.get(read.base)
    if task == "language-modelling":
        return _OF_TOKENS.get(read.base)
    if task == "multilabel-classification":
        return label_statistic(read, task, predictions)
    return class_statistic(read, task, predictions)


def _loss_columns(task: Task, predictions: Predictions) -> Array:
    """As `mean_loss` has it: a sample weighs as many tokens or pixels as it has."""
    count = len(predictions.losses)
    if has_values(task) or predictions.targets.ndim == 1:
        weights = np.ones(count)
    else:
        weights = counted(predictions).reshape(count, -1).sum(axis=1).astype(np.float64)
    losses = np.where(weights > 0, predictions.losses.astype(np.float64), 0.0)
    return np.stack([losses * weights, weights], axis=1)


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
    with np.errstate(over="ignore"):
        return np.exp(-ratio(totals))


_OF_TOKENS: Final[dict[str, Statistic]] = {
    "perplexity": share_of(_log_probabilities, _perplexity),
    "accuracy": share_of(lambda predictions: predictions.answers == predictions.targets),
}
