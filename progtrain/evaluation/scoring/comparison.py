"""Whether a version is better than another: the paired difference of a metric, with its noise."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from progtrain.errors import EvaluationError
from progtrain.evaluation.scoring.names import user_functions
from progtrain.evaluation.scoring.statistic import statistic_for
from progtrain.evaluation.scoring.sums import Array
from progtrain.evaluation.scoring.training_noise import probability_better, widened
from progtrain.predictions import Predictions
from progtrain.records import Comparison, MetricValue, TrainingNoise, Verdict
from progtrain.tasks import Task

_RESAMPLES: Final = 2000
#: For metrics that have to be computed anew on every resample.
_FEW_RESAMPLES: Final = 200
#: Numbers drawn in all: a large validation set needs fewer resamples, its intervals being narrow.
_BUDGET: Final = 10_000_000
_CONFIDENCE: Final = 0.95
#: Numbers drawn at once, to keep memory flat for large validation sets.
_CHUNK: Final = 4_000_000


def compare(
    before: Predictions | None,
    after: Predictions,
    was: MetricValue | None,
    now: MetricValue,
    task: Task,
    user_metrics: Path,
    seed: int,
    noise: TrainingNoise | None = None,
) -> Comparison:
    """Compare a metric of two versions on the same samples, by the paired percentile bootstrap (Efron, 1979).

    Args:
        before: the parent's predictions; None for a version without parent.
        after: the version's predictions.
        was: the parent's value of the metric.
        now: the version's value.
        task: what the targets are.
        user_metrics: the workspace's metrics.py.
        seed: of the resampling.
        noise: of the metric over seeds of the training, where it was measured.

    Returns:
        The difference, positive where `after` is better, its 95 % interval, whether that excludes 0, and the share
        of resamples on which `after` is better.

    Raises:
        EvaluationError: the two were not measured on the same samples.
    """
    if before is None or was is None:
        return Comparison(metric=now.name, difference=None, low=None, high=None, verdict="first", noise=noise)
    if not np.array_equal(before.sample_ids, after.sample_ids) or not np.array_equal(before.targets, after.targets):
        raise EvaluationError(
            "Expected both versions to be measured on the same samples in the same order, got different ones. "
            "Evaluate both again with 03_eval.py."
        )
    if was.value is None or now.value is None:
        verdict: Verdict = (
            "improved" if now.better_than(was) else "regressed" if was.better_than(now) else "within noise"
        )
        return Comparison(metric=now.name, difference=None, low=None, high=None, verdict=verdict)
    sign = 1.0 if now.higher_is_better else -1.0
    resampled = sign * _differences(now.name, task, user_metrics, before, after, seed)
    return _judged(now.name, sign * (now.value - was.value), resampled, noise)


def _judged(metric: str, difference: float, resampled: Array, noise: TrainingNoise | None) -> Comparison:
    """The verdict on a difference, positive where better, by the differences `[R]` on resamples."""
    resampled = resampled[np.isfinite(resampled)]  # a resample may lack a class that the metric needs
    if not len(resampled):
        return Comparison(metric=metric, difference=difference, low=None, high=None, verdict="within noise")
    low, high = _interval(resampled)
    if noise is not None:
        low, high = widened(difference, low, high, noise, _CONFIDENCE)
    return Comparison(
        metric=metric,
        difference=difference,
        low=low,
        high=high,
        verdict="improved" if low > 0 else "regressed" if high < 0 else "within noise",
        probability=probability_better(resampled, noise),
        noise=noise,
    )


def _interval(differences: Array) -> tuple[float, float]:
    tail = (1 - _CONFIDENCE) / 2
    low, high = np.quantile(differences, [tail, 1 - tail])
    return float(low), float(high)


def _differences(
    name: str, task: Task, user_metrics: Path, before: Predictions, after: Predictions, seed: int
) -> Array:
    """`[R]` differences after - before, one a resample; both sides see the same resample."""
    rng = np.random.default_rng(seed)
    count = len(after.sample_ids)
    statistic = None if name in user_functions(user_metrics) else statistic_for(name, task, after)
    if statistic is None:
        picks = [rng.integers(0, count, count) for _ in range(_FEW_RESAMPLES)]
        values = _revalued(name, task, user_metrics)
        return np.array([values(_taken(after, pick)) - values(_taken(before, pick)) for pick in picks])
    of_before, of_after = statistic(before), statistic(after)
    resamples = max(_FEW_RESAMPLES, min(_RESAMPLES, _BUDGET // count))
    rows = max(1, _CHUNK // count)
    parts = []
    for start in range(0, resamples, rows):
        weights = _resample_weights(rng, min(rows, resamples - start), count)
        parts.append(of_after(weights) - of_before(weights))
    return np.concatenate(parts)


def _revalued(name: str, task: Task, user_metrics: Path) -> Callable[[Predictions], float]:
    """The metric as a function of predictions, NaN where they do not allow it (a class is missing, say)."""
    # torch takes seconds to import: only for a metric that needs torchmetrics or the user's function.
    from progtrain.evaluation.scoring.metrics import measure_for, value_of

    measure = measure_for(name, task, user_metrics)

    def value(predictions: Predictions) -> float:
        try:
            return value_of(measure, predictions)
        except EvaluationError:
            return math.nan

    return value


def _resample_weights(rng: np.random.Generator, rows: int, count: int) -> Array:
    """`[rows, count]`: how often each sample is in each resample."""
    picks = rng.integers(0, count, (rows, count)) + count * np.arange(rows)[:, None]
    return np.bincount(picks.ravel(), minlength=rows * count).reshape(rows, count).astype(np.float64)


def _taken(predictions: Predictions, picks: NDArray[np.integer]) -> Predictions:
    return replace(
        predictions, **{field.name: getattr(predictions, field.name)[picks] for field in fields(predictions)}
    )
