"""Metrics of classes and of labels over weighted samples: made of what was right, answered and true."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from progtrain.errors import EvaluationError
from progtrain.evaluation.scoring.averaging import completed, has_one_score, mean_over, says_something, taking_part
from progtrain.evaluation.scoring.names import MetricName
from progtrain.evaluation.scoring.ranking import CURVES, class_ranking, label_ranking
from progtrain.evaluation.scoring.sums import Array, Statistic, Sums, mean_of, ratio
from progtrain.predictions import Predictions, counted, right
from progtrain.tasks import Task


@dataclass(frozen=True)
class _Totals:
    """`[R, C]` by class: how much was answered rightly, answered, true, and of all that counts."""

    right: Array
    answered: Array
    true: Array
    all: Array

    @property
    def summed(self) -> _Totals:
        """`[R, 1]` over all classes."""
        return _Totals(*(part.sum(axis=1, keepdims=True) for part in (self.right, self.answered, self.true, self.all)))

    @property
    def yes_and_no(self) -> _Totals:
        """`[R, 2]` of all labels together, as of two classes: that a sample has one, and that it has not."""
        yes = self.summed
        no = _Totals(yes.all - yes.answered - yes.true + yes.right, yes.all - yes.answered, yes.all - yes.true, yes.all)
        pairs = zip(vars(no).values(), vars(yes).values(), strict=True)
        return _Totals(*(np.hstack(pair) for pair in pairs))


#: -> numerator and denominator, `[R, C]` each.
_Ratio = Callable[[_Totals], tuple[Array, Array]]

_RATIOS: Final[dict[str, _Ratio]] = {
    "f1score": lambda t: (2 * t.right, t.answered + t.true),
    "precision": lambda t: (t.right, t.answered),
    "recall": lambda t: (t.right, t.true),
    "specificity": lambda t: (t.all - t.answered - t.true + t.right, t.all - t.true),
    "jaccardindex": lambda t: (t.right, t.answered + t.true - t.right),
}
_OF_CLASSES: Final[dict[str, _Ratio]] = {
    **_RATIOS,
    "accuracy": _RATIOS["recall"],
    "hammingdistance": lambda t: (t.true - t.right, t.true),
}
_OF_LABELS: Final[dict[str, _Ratio]] = {
    **_RATIOS,
    "accuracy": lambda t: (t.all - t.answered - t.true + 2 * t.right, t.all),
    "hammingdistance": lambda t: (t.answered + t.true - 2 * t.right, t.all),
}


def class_statistic(read: MetricName, task: Task, predictions: Predictions) -> Statistic | None:
    """A metric of one class a target; None where it has to be computed anew on every resample."""
    classes = 2 if has_one_score(predictions) else predictions.outputs.shape[1]
    columns = partial(_class_columns, classes)
    names_none = read.label is None and read.average is None
    if read.base in _OF_ALL:
        return Sums(columns, lambda totals: _OF_ALL[read.base](_totals(totals))) if names_none else None
    if read.base == "exactmatch" and names_none:
        return mean_of(right)
    read = completed(read, task, predictions)
    if read.label is not None and read.label >= classes:
        return None
    if read.base == "dicescore" and task == "segmentation":
        return Sums(partial(_dice_columns, columns, read), _dice)
    if read.base in CURVES and predictions.targets.ndim == 1 and read.average != "micro":
        return partial(class_ranking, read.base, read.label, read.average)
    parts = _OF_CLASSES.get(read.base)
    return None if parts is None else Sums(columns, partial(_averaged, read, parts, False))


def label_statistic(read: MetricName, task: Task, predictions: Predictions) -> Statistic | None:
    """A metric of several labels a sample; None where it has to be computed anew on every resample."""
    names_none = read.label is None and read.average is None
    if read.base == "matthewscorrcoef":
        return Sums(_label_columns, lambda totals: _matthews(_totals(totals).yes_and_no)) if names_none else None
    if read.base == "exactmatch" and names_none:
        return mean_of(right)
    read = completed(read, task, predictions)
    if read.label is not None and read.label >= predictions.targets.shape[1]:
        return None
    if read.base in CURVES and predictions.targets.ndim == 2:
        return partial(label_ranking, read.base, read.label, read.average)
    parts = _OF_LABELS.get(read.base)
    return None if parts is None else Sums(_label_columns, partial(_averaged, read, parts, True))


def _totals(totals: Array) -> _Totals:
    return _Totals(*np.split(totals, 4, axis=1))


def _averaged(read: MetricName, parts: _Ratio, has_labels: bool, totals: Array) -> Array:
    """The value of a ratio; which classes an average goes over is `averaging`'s to say."""
    known = _totals(totals).summed if read.average == "micro" and read.label is None else _totals(totals)
    each = _divided(*parts(known))
    if read.label is not None:
        has_value = says_something(read.base, known.true, known.all)[:, read.label]
        return np.where(has_value, each[:, read.label], np.nan)
    weights = taking_part(read.base, known.true, known.answered, known.all, has_labels)
    if read.average == "weighted":
        weights = weights * known.true
    return mean_over(each, weights)


def _divided(of: Array, over: Array) -> Array:
    """The quotient; 0 where there is nothing to divide by, as torchmetrics and scikit-learn have it."""
    return np.asarray(np.divide(of, over, out=np.zeros_like(of), where=over > 0))


# --- of all classes at once ---------------------------------------------------------------------


def _matthews(totals: _Totals) -> Array:
    """How answers go with truths: 0 where all answers are the same, NaN where all truths are."""
    count = totals.all[:, 0]
    chance = (totals.true * totals.answered).sum(axis=1)
    covariance = totals.right.sum(axis=1) * count - chance
    of_truths, of_answers = (count**2 - (part**2).sum(axis=1) for part in (totals.true, totals.answered))
    deviations = np.sqrt(of_truths) * np.sqrt(of_answers)
    values = np.divide(covariance, deviations, out=np.zeros_like(covariance), where=deviations > 0)
    return np.where(of_truths > 0, values, np.nan)


def _kappa(totals: _Totals) -> Array:
    """What is right beyond chance, of what can be: NaN where all truths and all answers are of one class."""
    count = totals.all[:, 0]
    chance = (totals.true * totals.answered).sum(axis=1)
    beyond = totals.right.sum(axis=1) * count - chance
    possible = count**2 - chance
    return np.asarray(np.divide(beyond, possible, out=np.full_like(beyond, np.nan), where=possible > 0))


_OF_ALL: Final[dict[str, Callable[[_Totals], Array]]] = {"matthewscorrcoef": _matthews, "cohenkappa": _kappa}


def _dice_columns(class_columns: Callable[[Predictions], Array], read: MetricName, predictions: Predictions) -> Array:
    """For each sample its Dice over the classes that occur in it, whether any does, and whether in its targets."""
    known = _totals(class_columns(predictions))
    if read.label is not None:
        known = _Totals(*(part[:, [read.label]] for part in vars(known).values()))
    elif read.average == "micro":
        known = known.summed
    weights = known.true if read.average == "weighted" else (known.true + known.answered > 0).astype(np.float64)
    dice = mean_over(_divided(*_RATIOS["f1score"](known)), weights)
    return np.stack([np.nan_to_num(dice), np.isfinite(dice), known.true.any(axis=1)], axis=1)


def _dice(totals: Array) -> Array:
    """The mean over samples; NaN where no sample has what is asked for."""
    return np.where(totals[:, 2] > 0, ratio(totals), np.nan)


# --- what is summed -----------------------------------------------------------------------------


def _class_columns(classes: int, predictions: Predictions) -> Array:
    count = len(predictions.targets)
    mask = counted(predictions).reshape(count, -1)
    truths, answers = (part.reshape(count, -1) for part in (predictions.targets, predictions.answers))
    for part, values in (("targets", truths[mask]), ("answers", answers[mask])):
        if values.size and not 0 <= values.min() <= values.max() < classes:
            raise EvaluationError(
                f"expected {part} of classes 0 to {classes - 1}, got {values.min():g} to {values.max():g}"
            )
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
