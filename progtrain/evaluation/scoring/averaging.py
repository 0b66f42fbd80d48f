"""Averages over the classes, or labels, for which a metric says something in a set of samples."""

from __future__ import annotations

from typing import Final

import numpy as np

from progtrain.errors import EvaluationError
from progtrain.evaluation.scoring.names import MetricName
from progtrain.evaluation.scoring.sums import Array
from progtrain.predictions import Predictions, counted
from progtrain.tasks import Task

#: Say how samples of a class are found: nothing where there are none.
NEED_SAMPLES: Final = frozenset({"recall", "auroc", "averageprecision"})
#: Say something of every label, also of one that no sample has.
OF_EVERY_LABEL: Final = frozenset({"accuracy", "hammingdistance", "specificity"})


def over_classes(read: MetricName, each: Array, predictions: Predictions, task: Task) -> float:
    """One number for a metric of several classes.

    An average goes over the classes that occur, in targets or answers; a class that no sample has is left out where
    the metric says how its samples are found (recall, AUROC, average precision), else what was answered in its place
    counts as wrong. A weighted average weighs a class by its samples.

    Args:
        read: the metric, with its average or class.
        each: `[C]` its value for every class or label.
        predictions: of the whole set.
        task: what the targets are.

    Raises:
        EvaluationError: no sample has the class that is asked for, or no class occurs.
    """
    if each.ndim != 1:
        raise EvaluationError(f"expected a value for each class, got an array of shape {each.shape}")
    true, answered, total = _occurrences(predictions, len(each), task)
    if read.label is not None:
        if read.label >= len(each):
            raise EvaluationError(f"expected a value for class {read.label}, there are {len(each)} classes")
        if true[read.label] == 0:
            raise EvaluationError(f"no validation sample is of class {read.label}")
        return float(each[read.label])
    weights = taking_part(read.base, true, answered, total, task == "multilabel-classification")
    if read.average == "weighted":
        weights = weights * true
    if not weights.sum():
        raise EvaluationError("no class occurs for which it says something")
    return float(np.average(each[weights > 0], weights=weights[weights > 0]))


def taking_part(base: str, true: Array, answered: Array, total: Array, has_labels: bool) -> Array:
    """`[..., C]` 1 for every class that an average goes over, else 0.

    Args:
        base: of the metric's name.
        true: `[..., C]` how often each class is the target.
        answered: `[..., C]` how often it is the answer.
        total: `[..., C]` of how many targets.
        has_labels: whether a sample has several labels, and not one class.
    """
    if has_labels and base in OF_EVERY_LABEL:
        return np.ones_like(true)
    takes_part = true + answered > 0
    if base in NEED_SAMPLES or (base == "accuracy" and not has_labels):
        takes_part &= true > 0
    if base == "auroc":
        takes_part &= true < total
    return takes_part.astype(np.float64)


def mean_over(each: Array, weights: Array) -> Array:
    """`[R]` the weighted mean over the last axis of `[R, C]`; NaN where all weights are 0."""
    over = weights.sum(axis=-1)
    of = (each * weights).sum(axis=-1)
    return np.asarray(np.divide(of, over, out=np.full_like(of, np.nan), where=over > 0))


def _occurrences(predictions: Predictions, classes: int, task: Task) -> tuple[Array, Array, Array]:
    """`[C]` each: how often a class is true, answered, and of how many targets."""
    mask = counted(predictions)
    answers = predictions.answers.reshape(predictions.targets.shape)
    if task == "multilabel-classification":
        axes = (0, *range(2, mask.ndim))
        found = (((part == 1) & mask).sum(axis=axes) for part in (predictions.targets, answers))
        true, answered = (part.astype(np.float64) for part in found)
        return true, answered, mask.sum(axis=axes).astype(np.float64)
    parts = (part[mask].astype(np.int64) for part in (predictions.targets, answers))
    true, answered = (np.bincount(part, minlength=classes)[:classes].astype(np.float64) for part in parts)
    return true, answered, np.full(classes, float(mask.sum()))
