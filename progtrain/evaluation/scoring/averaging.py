"""Averages over the classes, or labels, for which a metric says something in a set of samples."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from progtrain.errors import EvaluationError
from progtrain.evaluation.scoring.names import MetricName
from progtrain.evaluation.scoring.sums import Array
from progtrain.predictions import Predictions, counted
from progtrain.tasks import Task, has_values

#: Say how samples of a class are found: nothing where there are none.
NEED_SAMPLES: Final = frozenset({"recall", "auroc", "averageprecision"})
#: Hold samples of a class against others: nothing where every sample has it.
NEED_OTHERS: Final = frozenset({"auroc", "specificity"})
#: Count what is right of everything: one number over all classes where a name does not ask for an average.
OVERALL: Final = frozenset({"accuracy", "hammingdistance"})
#: One number of all classes together.
OF_ALL_CLASSES: Final = frozenset({"matthewscorrcoef", "cohenkappa"})
#: Say something of every label, also of one that no sample has.
OF_EVERY_LABEL: Final = OVERALL | {"specificity"}


def has_one_score(predictions: Predictions) -> bool:
    """Whether a target has one score, that of the second of two classes."""
    return predictions.outputs.ndim == predictions.targets.ndim


def completed(read: MetricName, task: Task, predictions: Predictions) -> MetricName:
    """The name with the class or average that it means where it names none.

    A model of one score says how sure it is of the second class, which `f1` and the like are of; `f1_macro` is not.
    """
    if read.label is not None or read.average is not None or read.base in OF_ALL_CLASSES:
        return read
    if read.base in OVERALL:
        return replace(read, average="micro")
    if task != "multilabel-classification" and has_one_score(predictions):
        return replace(read, label=1)
    return replace(read, average="macro")


def over_classes(read: MetricName, each: Array, predictions: Predictions, task: Task) -> float:
    """One number for a metric of several classes; NaN where it says something of none of them.

    An average goes over the classes that occur, in targets or answers; a class that no sample has is left out where
    the metric says how its samples are found (recall, AUROC, average precision), else what was answered in its place
    counts as wrong. A weighted average weighs a class by its samples.

    Args:
        read: the metric, with its average or class.
        each: `[C]` its value for every class or label.
        predictions: of the whole set.
        task: what the targets are.

    Raises:
        EvaluationError: it does not have a value for every class, or not for the class that is asked for.
    """
    if each.ndim != 1:
        raise EvaluationError(f"expected a value for each class, got an array of shape {each.shape}")
    true, answered, total = _occurrences(predictions, len(each), task)
    if read.label is not None:
        if read.label >= len(each):
            raise EvaluationError(f"expected a value for class {read.label}, there are {len(each)} classes")
        return float(each[read.label]) if says_something(read.base, true, total)[read.label] else np.nan
    weights = taking_part(read.base, true, answered, total, task == "multilabel-classification")
    if read.average == "weighted":
        weights = weights * true
    return float(mean_over(np.where(weights > 0, each, 0.0), weights))


def says_something(base: str, true: Array, total: Array) -> NDArray[np.bool_]:
    """`[..., C]` whether a metric of a single class has a value: there are samples of it, and others where need be.

    Args:
        base: of the metric's name.
        true: `[..., C]` how often each class is the target.
        total: `[..., C]` of how many targets.
    """
    known = true > 0
    return known & (true < total) if base in NEED_OTHERS else known


def taking_part(base: str, true: Array, answered: Array, total: Array, has_labels: bool) -> Array:
    """`[..., C]` 1 for every class that an average goes over, else 0.

    Args:
        base: of the metric's name.
        true: `[..., C]` how often each class is the target.
        answered: `[..., C]` how often it is the answer.
        total: `[..., C]` of how many targets.
        has_labels: whether a sample has several labels, and not one class.
    """
    takes_part = true + answered > 0
    if has_labels and base in OF_EVERY_LABEL:
        takes_part = np.ones_like(takes_part)
    elif base in NEED_SAMPLES or base in OVERALL:
        takes_part &= true > 0
    if base in NEED_OTHERS:
        takes_part &= true < total
    return takes_part.astype(np.float64)


def mean_over(each: Array, weights: Array) -> Array:
    """`[R]` the weighted mean over the last axis of `[R, C]`; NaN where all weights are 0."""
    over = weights.sum(axis=-1)
    of = (each * weights).sum(axis=-1)
    return np.asarray(np.divide(of, over, out=np.full_like(of, np.nan), where=over > 0))


def why_undefined(read: MetricName, task: Task, predictions: Predictions) -> str:
    """Why a metric is not a number for these predictions; empty where that is not known.

    Args:
        read: the metric, with its average or class.
        task: what the targets are.
        predictions: of the whole set.
    """
    parts = {"answers": predictions.answers, "targets": predictions.targets}
    for part, values in parts.items():
        if np.issubdtype(values.dtype, np.floating) and not np.isfinite(values).all():
            return f"not all {part} are finite numbers"
    if read.label is not None and not has_values(task):
        true, _, total = _occurrences(predictions, read.label + 1, task)
        if true[read.label] == 0:
            return f"no validation sample is of class {read.label}"
        if true[read.label] == total[read.label]:
            return f"every validation sample is of class {read.label}"
    # Targets that are the same in one of several numbers leave the others; answers that are cannot be judged.
    constant = [
        part
        for part, judge in (("answers", any if has_values(task) else all), ("targets", all))
        if judge(_constant_columns(parts[part], task, predictions))
    ]
    if constant:
        return f"it is not defined where all {' and all '.join(constant)} are the same"
    return "" if has_values(task) else "no class occurs for which it says something"


def _constant_columns(values: NDArray[np.generic], task: Task, predictions: Predictions) -> list[bool]:
    """Of each number or label, or of the class: whether it is the same in all samples."""
    mask = counted(predictions)
    values = values.reshape(mask.shape)
    if task != "multilabel-classification" and not has_values(task):
        values, mask = values[mask][:, None], mask[mask][:, None]
    values, mask = values.reshape(len(values), -1), mask.reshape(len(mask), -1)
    columns = (column[known] for column, known in zip(values.T, mask.T, strict=True))
    return [bool((column == column[:1]).all()) for column in columns]


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
