"""Metrics of how scores order samples, over weighted samples: areas under a class's curves."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from progtrain.errors import EvaluationError
from progtrain.evaluation.scoring.averaging import mean_over
from progtrain.evaluation.scoring.names import Average
from progtrain.evaluation.scoring.sums import Array, Weighed
from progtrain.predictions import Predictions, counted

Flags = NDArray[np.bool_]


def class_ranking(base: str, label: int | None, average: Average | None, predictions: Predictions) -> Weighed:
    """One class against the rest, and the mean over classes.

    Args:
        base: one of `CURVES`.
        label: the only class that is asked for.
        average: over classes, where no class is asked for.
        predictions: of one class a sample, `[N]`.

    Raises:
        EvaluationError: there are answers without scores.
    """
    scores = _log_odds(_scores(predictions))
    classes = range(scores.shape[1]) if label is None else [label]
    flags = predictions.targets[:, None] == np.array(classes)
    mask = np.repeat(counted(predictions)[:, None], len(classes), axis=1)
    return partial(_mean, CURVES[base], scores[:, list(classes)], flags, mask, average == "weighted")


def label_ranking(base: str, label: int | None, average: Average | None, predictions: Predictions) -> Weighed:
    """The samples that have a label against the rest, and the mean over labels.

    Args:
        base: one of `CURVES`.
        label: the only one that is asked for.
        average: over labels; `micro` takes every label of a sample as a sample.
        predictions: of labels, `[N, L]`.

    Raises:
        EvaluationError: there are answers without scores.
    """
    scores, flags, mask = _scores(predictions), predictions.targets == 1, counted(predictions)
    if label is not None:
        scores, flags, mask = scores[:, [label]], flags[:, [label]], mask[:, [label]]
    elif average == "micro":
        count = flags.shape[1]
        scores, flags, mask = scores.reshape(-1, 1), flags.reshape(-1, 1), mask.reshape(-1, 1)
        whole = partial(_mean, CURVES[base], scores, flags, mask, False)
        return lambda weights: whole(np.repeat(weights, count, axis=1))
    return partial(_mean, CURVES[base], scores, flags, mask, average == "weighted")


def _scores(predictions: Predictions) -> Array:
    if np.isnan(predictions.outputs).any():
        raise EvaluationError("it needs a score for every class, which the answers do not have")
    return predictions.outputs.astype(np.float64).reshape(len(predictions.targets), -1)


def _log_odds(scores: Array) -> Array:
    """`[N, C]` what orders samples by the probability of each class; probabilities themselves where they are given.

    Probabilities of large logits are all 1 by rounding, and ties where the model made none.
    """
    if scores.shape[1] == 1:
        return np.hstack([-scores, scores])
    if scores.min() >= 0 and scores.max() <= 1:  # torchmetrics' rule for what is no logit
        return scores
    own = scores - _log_of_sum(scores)
    highest = scores.argmax(axis=1)[:, None]
    rest = scores.copy()
    np.put_along_axis(rest, highest, -np.inf, axis=1)
    odds = own - np.log1p(-np.exp(np.minimum(own, np.log(0.5))))
    np.put_along_axis(odds, highest, np.take_along_axis(scores, highest, axis=1) - _log_of_sum(rest), axis=1)
    return odds


def _log_of_sum(scores: Array) -> Array:
    """`[N, 1]` the logarithm of the sum of exponentials."""
    highest = scores.max(axis=1, keepdims=True)
    return np.asarray(highest + np.log(np.exp(scores - highest).sum(axis=1, keepdims=True)))


_Curve = Callable[[Array, Flags, Array], Array]


def _mean(curve: _Curve, scores: Array, flags: Flags, mask: Flags, weighted: bool, weights: Array) -> Array:
    """`[R]` over the columns for which the samples allow it."""
    columns = zip(scores.T, flags.T, mask.T, strict=True)
    each = [curve(score, flag, weights if known.all() else weights * known) for score, flag, known in columns]
    areas = np.stack(each, axis=1)
    known = np.isfinite(areas)
    shares = np.where(known, weights @ (flags & mask).astype(np.float64) if weighted else 1.0, 0.0)
    return mean_over(np.where(known, areas, 0.0), shares)


def _auroc(scores: Array, of_class: Flags, weights: Array) -> Array:
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


def _average_precision(scores: Array, of_class: Flags, weights: Array) -> Array:
    """The mean over the samples of the class of the precision among those that score as high as each."""
    order = np.argsort(-scores)
    ordered, of_class, weighed = scores[order], of_class[order], weights[:, order]
    last = np.append(ordered[1:] != ordered[:-1], True)  # of those that tie
    taken = np.cumsum(weighed, axis=1)[:, last]
    found = np.cumsum(np.where(of_class, weighed, 0.0), axis=1)[:, last]
    precision = np.divide(found, taken, out=np.zeros_like(found), where=taken > 0)
    gained = (np.diff(found, axis=1, prepend=0.0) * precision).sum(axis=1)
    return np.asarray(np.divide(gained, found[:, -1], out=np.full_like(gained, np.nan), where=found[:, -1] > 0))


#: Metric -> the area for one column of scores.
CURVES: Final[dict[str, _Curve]] = {"auroc": _auroc, "averageprecision": _average_precision}
