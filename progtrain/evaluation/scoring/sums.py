"""Metrics that follow from sums over samples: what nearly all of them are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from progtrain.predictions import Predictions, counted

Array = NDArray[np.floating]

#: weights `[R, N]`, how often each sample is taken -> `[R]` values of a metric, one a row of weights.
Weighed = Callable[[Array], Array]
#: What is worked out once of the predictions, for all resamples of them.
Statistic = Callable[[Predictions], Weighed]


@dataclass(frozen=True)
class Sums:
    """A metric as a function of weighted sums over the samples.

    Args:
        columns: predictions -> `[N, K]`, what is summed.
        value: `[R, K]` sums -> `[R]` values; the same for sums that are all twice as large.
    """

    columns: Callable[[Predictions], Array]
    value: Callable[[Array], Array]

    def __call__(self, predictions: Predictions) -> Weighed:
        """The metric of these predictions, by weights."""
        columns = self.columns(predictions)
        return lambda weights: self.value(weights @ columns)


def of_all(statistic: Statistic, predictions: Predictions) -> float:
    """The value over all samples, each taken once; NaN where they do not allow it."""
    return float(statistic(predictions)(np.ones((1, len(predictions.targets))))[0])


def ratio(totals: Array) -> Array:
    """The first sum over the second; NaN where that is 0."""
    of, over = totals[:, 0], totals[:, 1]
    values: Array = np.divide(of, over, out=np.full_like(of, np.nan), where=over > 0)
    return values


def mean_of(values: Callable[[Predictions], NDArray[np.generic]], value: Callable[[Array], Array] = ratio) -> Sums:
    """The mean over samples of what `values` gives for each, itself a mean over everything but the samples."""

    def columns(predictions: Predictions) -> Array:
        each = values(predictions)
        means = each.reshape(len(each), -1).mean(axis=1, dtype=np.float64)
        return np.stack([means, np.ones(len(each))], axis=1)

    return Sums(columns, value)


def share_of(values: Callable[[Predictions], NDArray[np.generic]], value: Callable[[Array], Array] = ratio) -> Sums:
    """The mean of `values` over every target that counts, whichever sample it is of."""

    def columns(predictions: Predictions) -> Array:
        mask = counted(predictions).reshape(len(predictions.targets), -1)
        each = np.where(mask, values(predictions).reshape(mask.shape), 0).astype(np.float64)
        return np.stack([each.sum(axis=1), mask.sum(axis=1)], axis=1)

    return Sums(columns, value)
