"""Metrics of numbers over weighted samples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from progtrain.evaluation.scoring.averaging import mean_over
from progtrain.evaluation.scoring.sums import Array, Statistic, Sums, mean_of, ratio
from progtrain.predictions import Predictions

#: torchmetrics' own guard against a division by zero.
_EPSILON: Final = 1.17e-06
#: Of the mean square; what a variance below it holds is rounding.
_ROUNDING: Final = 1e-12


def _numbers(predictions: Predictions) -> tuple[Array, Array]:
    """`[N, ...]` answers and targets."""
    targets = predictions.targets.astype(np.float64)
    return predictions.answers.astype(np.float64).reshape(targets.shape), targets


def _error(predictions: Predictions) -> Array:
    answers, targets = _numbers(predictions)
    return answers - targets


def _relative_error(predictions: Predictions) -> Array:
    answers, targets = _numbers(predictions)
    return np.asarray(np.abs(answers - targets) / np.maximum(np.abs(targets), _EPSILON))


def _symmetric_error(predictions: Predictions) -> Array:
    answers, targets = _numbers(predictions)
    return np.asarray(2 * np.abs(answers - targets) / np.maximum(np.abs(answers) + np.abs(targets), _EPSILON))


def _squared_error(predictions: Predictions) -> Array:
    return _error(predictions) ** 2


def _root(totals: Array) -> Array:
    return np.sqrt(ratio(totals))


# --- how answers vary with targets --------------------------------------------------------------


@dataclass(frozen=True)
class _Moments:
    """`[R, K]` for every number of a target: means, variances (NaN where all are the same) and a covariance."""

    squared_error: Array
    mean_error: Array
    target_variance: Array
    answer_variance: Array
    covariance: Array


def _moment_columns(predictions: Predictions) -> Array:
    count = len(predictions.targets)
    answers, targets = (part.reshape(count, -1) for part in _numbers(predictions))
    error = answers - targets
    # What is centred keeps its digits in a variance, however far from 0 it lies.
    answers, targets = answers - answers.mean(axis=0), targets - targets.mean(axis=0)
    parts = (error**2, error, targets**2, targets, answers**2, answers, answers * targets, np.ones((count, 1)))
    return np.concatenate(parts, axis=1)


def _varied(of_moments: Callable[[_Moments], Array]) -> Statistic:
    """The mean over the numbers of a target, leaving out those that are the same in all samples."""

    def value(totals: Array) -> Array:
        parts = np.split(totals[:, :-1] / totals[:, -1:], 7, axis=1)
        squared_error, error, target_square, target, answer_square, answer, product = parts
        moments = _Moments(
            squared_error,
            error,
            _variance(target_square, target),
            _variance(answer_square, answer),
            product - answer * target,
        )
        varies = np.isfinite(moments.target_variance)
        return mean_over(np.where(varies, of_moments(moments), 0.0), varies.astype(np.float64))

    return Sums(_moment_columns, value)


def _variance(square: Array, mean: Array) -> Array:
    variance = square - mean**2
    return np.where(variance > _ROUNDING * square, variance, np.nan)


def _pearson(moments: _Moments) -> Array:
    deviations = np.sqrt(moments.answer_variance) * np.sqrt(moments.target_variance)
    return np.asarray(np.clip(moments.covariance / deviations, -1.0, 1.0))


OF_VALUES: Final[dict[str, Statistic]] = {
    "meansquarederror": mean_of(_squared_error),
    "rootmeansquarederror": mean_of(_squared_error, _root),
    "meanabsoluteerror": mean_of(lambda predictions: np.abs(_error(predictions))),
    "meanabsolutepercentageerror": mean_of(_relative_error),
    "symmetricmeanabsolutepercentageerror": mean_of(_symmetric_error),
    "r2score": _varied(lambda m: 1 - m.squared_error / m.target_variance),
    "relativesquarederror": _varied(lambda m: m.squared_error / m.target_variance),
    "explainedvariance": _varied(lambda m: 1 - (m.squared_error - m.mean_error**2) / m.target_variance),
    "pearsoncorrcoef": _varied(_pearson),
}
