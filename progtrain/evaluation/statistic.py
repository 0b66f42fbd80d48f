"""Metrics over weighted samples, in numpy: thousands of resamples at once."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from progtrain.evaluation.names import LOSS, read_name
from progtrain.predictions import Predictions
from progtrain.tasks import Task

Array = NDArray[np.floating]

#: torchmetrics' own guard against targets of zero.
_MAPE_EPSILON: Final = 1.17e-06


#: (predictions, weights `[R, N]` whose rows sum to 1) -> `[R]` values of a metric, one a row of weights.
Statistic = Callable[[Predictions, Array], Array]


def statistic_for(name: str, task: Task, predictions: Predictions) -> Statistic | None:
    """The statistic that a metric is; None where it has to be computed anew on every resample.

    Args:
        name: as in METRICS of 03_eval.py.
        task: what the targets are.
        predictions: any version's; they tell the number of classes.
    """
    if name == LOSS:
        return _mean_of(lambda p: p.losses)
    read = read_name(name)
    if task == "regression":
        return _REGRESSION.get(read.base)
    binary = predictions.outputs.ndim == predictions.targets.ndim
    average = read.average or ("micro" if read.base == "accuracy" else "macro")
    if read.base == "accuracy" and (binary or average == "micro"):
        return _mean_of(lambda p: p.answers == p.targets)
    if not (binary or average == "macro"):
        return None
    classes = np.array([1]) if binary else np.arange(predictions.outputs.shape[1])
    if read.base == "auroc" and predictions.targets.ndim == 1:
        return partial(_auroc, classes)
    ratio = _RATIOS.get(read.base)
    return None if ratio is None else partial(_macro, ratio, classes)


def _mean_of(values: Callable[[Predictions], NDArray[np.generic]]) -> Statistic:
    """The mean over samples of what `values` gives for each, itself a mean over everything but the samples."""

    def mean(predictions: Predictions, weights: Array) -> Array:
        each = values(predictions)
        means: Array = weights @ each.reshape(len(each), -1).mean(axis=1, dtype=np.float64)
        return means

    return mean


def _error(predictions: Predictions) -> Array:
    error: Array = predictions.answers.astype(np.float64) - predictions.targets.astype(np.float64)
    return error


def _relative_error(predictions: Predictions) -> Array:
    scale: Array = np.maximum(np.abs(predictions.targets.astype(np.float64)), _MAPE_EPSILON)
    return np.abs(_error(predictions)) / scale


def _r2(predictions: Predictions, weights: Array) -> Array:
    targets = predictions.targets.astype(np.float64).reshape(len(predictions.targets), -1)
    centred = targets - targets.mean(axis=0)  # the same for every version; keeps digits in the variance
    residual = weights @ _error(predictions).reshape(targets.shape) ** 2
    variance = weights @ centred**2 - (weights @ centred) ** 2
    values: Array = (1 - residual / variance).mean(axis=1)
    return values


def _squared_error(predictions: Predictions) -> Array:
    return _error(predictions) ** 2


def _rmse(predictions: Predictions, weights: Array) -> Array:
    values: Array = np.sqrt(_mean_of(_squared_error)(predictions, weights))
    return values


_REGRESSION: Final[dict[str, Statistic]] = {
    "meansquarederror": _mean_of(_squared_error),
    "rootmeansquarederror": _rmse,
    "meanabsoluteerror": _mean_of(lambda p: np.abs(_error(p))),
    "meanabsolutepercentageerror": _mean_of(_relative_error),
    "r2score": _r2,
}


def _macro(
    ratio: Callable[[Array, Array, Array], tuple[Array, Array]],
    classes: NDArray[np.integer],
    predictions: Predictions,
    weights: Array,
) -> Array:
    """A ratio of shares (answered rightly, answered, true) by class: the mean over the classes that occur."""
    count = len(predictions.targets)
    is_answered = predictions.answers.reshape(count, -1, 1) == classes
    is_true = predictions.targets.reshape(count, -1, 1) == classes
    right, answered, true = (weights @ flags.mean(axis=1) for flags in (is_answered & is_true, is_answered, is_true))
    numerator, denominator = ratio(right, answered, true)
    each = np.divide(numerator, denominator, out=np.zeros_like(numerator), where=denominator > 0)
    occurs = (answered + true) > 0
    values: Array = (each * occurs).sum(axis=1) / np.maximum(occurs.sum(axis=1), 1)
    return values


def _auroc(classes: NDArray[np.integer], predictions: Predictions, weights: Array) -> Array:
    """One against the rest: the chance that a sample of the class scores above one that is not, a tie counting half."""
    scores = predictions.outputs.astype(np.float64).reshape(len(predictions.targets), -1)
    if scores.shape[1] > 1 and (scores.min() < 0 or scores.max() > 1):  # torchmetrics' rule for logits
        scores = np.exp(scores - scores.max(axis=1, keepdims=True))
        scores /= scores.sum(axis=1, keepdims=True)
    values = []
    for column, label in zip(scores.T, classes, strict=True):
        order = np.argsort(column)
        ordered, of_class = column[order], predictions.targets[order] == label
        weighed = weights[:, order]
        others = np.cumsum(np.where(of_class, 0.0, weighed), axis=1)
        below = np.hstack([np.zeros((len(weights), 1)), others])
        first, last = (np.searchsorted(ordered, ordered[of_class], side) for side in ("left", "right"))
        own = weighed[:, of_class]
        pairs = own.sum(axis=1) * others[:, -1]
        above = (own * (below[:, first] + below[:, last])).sum(axis=1) / 2
        values.append(np.divide(above, pairs, out=np.full_like(above, np.nan), where=pairs > 0))
    mean: Array = np.stack(values).mean(axis=0)
    return mean


_RATIOS: Final[dict[str, Callable[[Array, Array, Array], tuple[Array, Array]]]] = {
    "f1score": lambda right, answered, true: (2 * right, answered + true),
    "precision": lambda right, answered, true: (right, answered),
    "recall": lambda right, answered, true: (right, true),
    "accuracy": lambda right, answered, true: (right, true),
}
