"""Metrics of classes and of labels over weighted samples: ratios of what was right, answered and true."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from progtrain.evaluation.scoring.averaging import mean_over, taking_part
from progtrain.evaluation.scoring.names import Average, MetricName
from progtrain.evaluation.scoring.sums import Array, Statistic, Sums, Weighed, mean_of
from progtrain.predictions import Predictions, counted, right


@dataclass(frozen=True)
class _Totals:
    """`[R, C]` by class: shares answered rightly, answered, true, and of all that counts."""

    right: Array
    answered: Array
    true: Array
    all: Array

    @property
    def summed(self) -> _Totals:
        """`[R, 1]` over all classes."""
        return _Totals(*(part.sum(axis=1, keepdims=True) for part in (self.right, self.answered, self.true, self.all)))


#: -> numerator and denominator, `[R, C]` each.
_Ratio = Callable[[_Totals], tuple[Array, Array]]

_RATIOS: Final[dict[str, _Ratio]] = {
    "f1score": lambda t: (2 * t.right, t.answered + t.true),
    "precision": lambda t: (t.right, t.answered),
    "recall": lambda t: (t.right, t.true),
    "jaccardindex": lambda t: (t.right, t.answered + t.true - t.right),
}
_OF_CLASSES: Final[dict[str, _Ratio]] = {**_RATIOS, "accuracy": _RATIOS["recall"]}
_OF_LABELS: Final[dict[str, _Ratio]] = {
    **_RATIOS,
    "accuracy": lambda t: (t.all - t.answered - t.true + 2 * t.right, t.all),
    "hammingdistance": lambda t: (t.answered + t.true - 2 * t.right, t.all),
}


def class_statistic(read: MetricName, predictions: Predictions) -> Statistic | None:
    """A metric of one class a target; None where it is no such ratio."""
    binary = predictions.outputs.ndim == predictions.targets.ndim
    classes = 2 if binary else predictions.outputs.shape[1]
    label = read.label
    average: Average | None = read.average or ("micro" if read.base == "accuracy" else "macro")
    if binary and label is None and read.average is None:  # the second class is asked for, and accuracy of both
        label, average = (None, "micro") if read.base == "accuracy" else (1, None)
    if label is not None and not 0 <= label < classes:
        return None
    if read.base == "auroc" and predictions.targets.ndim == 1 and average != "weighted":
        return partial(_auroc, [label] if label is not None else list(range(classes)))
    return _averaged(read.base, _OF_CLASSES.get(read.base), classes, average, label)


def label_statistic(read: MetricName, predictions: Predictions) -> Statistic | None:
    """A metric of several labels a sample; None where it is no such ratio."""
    labels = predictions.targets.shape[1]
    if read.label is not None and not 0 <= read.label < labels:
        return None
    if read.base == "exactmatch":
        return mean_of(right)
    if read.base == "auroc" and read.average in (None, "macro") and counted(predictions).all():
        return partial(_label_auroc, range(labels) if read.label is None else [read.label])
    average: Average = read.average or ("micro" if read.base == "accuracy" else "macro")
    return _averaged(read.base, _OF_LABELS.get(read.base), None, average, read.label)


def _averaged(
    base: str, parts: _Ratio | None, classes: int | None, average: Average | None, label: int | None
) -> Statistic | None:
    """The statistic of a ratio; which classes an average goes over is `averaging`'s to say."""
    if parts is None:
        return None
    columns = _label_columns if classes is None else partial(_class_columns, classes)

    def value(totals: Array) -> Array:
        known = _Totals(*np.split(totals, 4, axis=1))
        each = _divided(*parts(known.summed if average == "micro" and label is None else known))
        if label is not None:
            return np.asarray(np.where(known.true[:, label] > 0, each[:, label], np.nan))
        if average == "micro":
            return each[:, 0]
        weights = taking_part(base, known.true, known.answered, known.all, classes is None)
        if average == "weighted":
            weights = weights * known.true
        return mean_over(each, weights)

    return Sums(columns, value)


def _divided(of: Array, over: Array) -> Array:
    """The quotient; 0 where there is nothing to divide by, as torchmetrics has it."""
    return np.asarray(np.divide(of, over, out=np.zeros_like(of), where=over > 0))


def _class_columns(classes: int, predictions: Predictions) -> Array:
    count = len(predictions.targets)
    mask = counted(predictions).reshape(count, -1)
    truths, answers = (part.reshape(count, -1) for part in (predictions.targets, predictions.answers))
    tables = (
        _by_class(truths, mask & (truths == answers), classes),
        _by_class(answers, mask, classes),
        _by_class(truths, mask, classes),
        np.broadcast_to(mask.sum(axis=1, keepdims=True), (count, classes)),
    )
    return np.concatenate(tables, axis=1).astype(np.float64)


def _by_class(values: NDArray[np.generic], mask: NDArray[np.bool_], classes: int) -> NDArray[np.integer]:
    """`[N, C]` how often each sample has each class."""
    cells = (np.arange(len(values))[:, None] * classes + values.astype(np.int64))[mask]
    return np.bincount(cells, minlength=len(values) * classes).reshape(len(values), classes)


def _label_columns(predictions: Predictions) -> Array:
    count, labels = predictions.targets.shape[:2]
    mask = counted(predictions)
    answered, true = ((part == 1) & mask for part in (predictions.answers, predictions.targets))
    tables = (answered & true, answered, true, mask)
    by_label = (table.reshape(count, labels, -1).sum(axis=2) for table in tables)
    return np.concatenate(list(by_label), axis=1).astype(np.float64)


# --- the area under the curve of true against false positives -----------------------------------


def _auroc(classes: list[int], predictions: Predictions) -> Weighed:
    """One class against the rest, the mean over classes."""
    scores = predictions.outputs.astype(np.float64).reshape(len(predictions.targets), -1)
    if scores.shape[1] > 1 and (scores.min() < 0 or scores.max() > 1):  # torchmetrics' rule for logits
        scores = np.exp(scores - scores.max(axis=1, keepdims=True))
        scores /= scores.sum(axis=1, keepdims=True)
    columns = [0] if scores.shape[1] == 1 else classes
    flags = [predictions.targets == label for label in classes]
    return partial(_mean_area, [scores[:, column] for column in columns], flags)


def _label_auroc(labels: range | list[int], predictions: Predictions) -> Weighed:
    scores = [predictions.outputs[:, label].astype(np.float64) for label in labels]
    return partial(_mean_area, scores, [predictions.targets[:, label] == 1 for label in labels])


def _mean_area(scores: Sequence[Array], flags: Sequence[NDArray[np.bool_]], weights: Array) -> Array:
    areas = np.stack([_area(column, flag, weights) for column, flag in zip(scores, flags, strict=True)], axis=1)
    known = np.isfinite(areas)
    return mean_over(np.where(known, areas, 0.0), known.astype(np.float64))


def _area(scores: Array, of_class: NDArray[np.bool_], weights: Array) -> Array:
    """The chance that a sample of the class scores above one that is not, a tie counting half."""
    order = np.argsort(scores)
    ordered, of_class, weighed = scores[order], of_class[order], weights[:, order]
    others = np.cumsum(np.where(of_class, 0.0, weighed), axis=1)
    below = np.hstack([np.zeros((len(weights), 1)), others])
    first, last = (np.searchsorted(ordered, ordered[of_class], side) for side in ("left", "right"))
    own = weighed[:, of_class]
    pairs = own.sum(axis=1) * others[:, -1]
    above = (own * (below[:, first] + below[:, last])).sum(axis=1) / 2
    return np.asarray(np.divide(above, pairs, out=np.full_like(above, np.nan), where=pairs > 0))
