"""Whether 03_eval.py measures what a script logs of its own validation."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from progtrain.errors import EvaluationError
from progtrain.evaluation.asking.decoding import mean_loss
from progtrain.evaluation.scoring.metrics import measure_for, value_of
from progtrain.evaluation.scoring.names import LOSS
from progtrain.predictions import Predictions
from progtrain.step_records import AgreementRecord, Compared
from progtrain.tasks import Task

_TOLERANCE: Final = 0.02
"""Of the figure; what bf16 and other sums of the same numbers make of it stays below."""
_HITS: Final = 1.5
"""Samples by which a share of samples may differ: one at the threshold, and rounding."""
_DEVIATIONS: Final = 4
_MEANT: Final = {"accuracy": {"accuracy": "", "accuracy_macro": ", a mean over classes"}}
"""Metrics that scripts log under one name, torchmetrics' `MulticlassAccuracy` being a mean over classes."""


@dataclass(frozen=True)
class _Way:
    """A way of counting, its figure, and the unit that it is in: 100 where it is in percent."""

    words: str
    figure: float
    unit: float = 1.0


@dataclass(frozen=True)
class Logged:
    """What a script logged on its validation set.

    Args:
        values: by the script's own names; where there are several, the nearest is the one.
        names: metric of 03_eval.py -> the name that it has there.
        shuffled: whether it took the samples in another order.
        samples: how many of them it took; None where that is not known.
        failure: why it logged nothing.
    """

    values: Mapping[str, Sequence[float]]
    names: Mapping[str, str]
    shuffled: bool = False
    samples: int | None = None
    failure: str = ""


def agreement_of(
    logged: Logged, predictions: Predictions, task: Task, batch_size: int | None, user_metrics: Path
) -> AgreementRecord:
    """Hold the figures of predictions against what the script logged of the same weights.

    A figure agrees where it is the one over all samples, or the mean over the script's batches.

    Args:
        logged: by the script.
        predictions: of the whole validation set.
        task: what the targets are.
        batch_size: samples a batch; None where the loader makes its batches itself.
        user_metrics: the workspace's metrics.py.
    """
    total = len(predictions.sample_ids)
    part = logged.samples if logged.samples is not None else total
    values = {metric: _values(logged.values, name) for metric, name in logged.names.items()}
    named = {metric: found for metric, found in values.items() if found}
    if not named:
        return AgreementRecord(compared=(), reason=logged.failure or _nothing(logged))
    if part < total and logged.shuffled:
        return AgreementRecord(compared=(), reason=f"the script validates on {part} of {total} samples, drawn anew")
    known = _rows(predictions, slice(0, part))
    compared = []
    for metric, heard in named.items():
        found = _ways(metric, known, task, batch_size, user_metrics)
        ways = [way for way in found if math.isfinite(way.figure)]
        if ways:
            value = min(heard, key=lambda each: min(abs(way.figure - each) / way.unit for way in ways))
            compared.append(_compared(metric, logged.names[metric], value, ways, part))
    return AgreementRecord(compared=tuple(compared), reason="" if compared else "none of the figures could be computed")


def _nothing(logged: Logged) -> str:
    if not logged.names:
        return "LOGGED in 03_eval.py names nothing that the script logs"
    return f"the script logs no {' or '.join(logged.names.values())}"


def _values(values: Mapping[str, Sequence[float]], name: str) -> tuple[float, ...]:
    """What was logged under a name, or under what Lightning makes of it."""
    found = [key for key in values if key in (name, f"{name}_epoch") or key.startswith((f"{name}/", f"{name}_epoch/"))]
    finite = (tuple(filter(math.isfinite, values[key])) for key in found)
    return next((each for each in finite if each), ())


def _ways(metric: str, known: Predictions, task: Task, batch_size: int | None, user_metrics: Path) -> Iterator[_Way]:
    """The figure over samples and over batches, a share in percent too; none where it cannot be computed."""
    for meant, note in _MEANT.get(metric, {metric: ""}).items():
        for words, figure in _countings(meant, known, task, batch_size, user_metrics):
            yield _Way(words + note, figure)
            if metric in _MEANT:
                yield _Way(f"{words}{note}, in percent", 100 * figure, 100.0)


def _countings(
    metric: str, known: Predictions, task: Task, batch_size: int | None, user_metrics: Path
) -> Iterator[tuple[str, float]]:
    with suppress(EvaluationError):  # it cannot be computed: there is nothing to compare
        yield "samples", _figure(metric, known, task, user_metrics)
        if batch_size is not None:
            count = len(known.sample_ids)
            begins = range(0, count, batch_size)
            each = [_figure(metric, _rows(known, slice(i, i + batch_size)), task, user_metrics) for i in begins]
            sizes = [min(batch_size, count - begin) for begin in begins]
            yield "batches, by their size", float(np.average(each, weights=sizes))
            yield "batches", float(np.mean(each))


def _figure(metric: str, known: Predictions, task: Task, user_metrics: Path) -> float:
    if metric == LOSS:
        return mean_loss(known, task)
    return value_of(measure_for(metric, task, user_metrics), known)


def _rows(predictions: Predictions, rows: slice) -> Predictions:
    return replace(
        predictions,
        sample_ids=predictions.sample_ids[rows],
        targets=predictions.targets[rows],
        outputs=predictions.outputs[rows],
        answers=predictions.answers[rows],
        losses=predictions.losses[rows],
    )


def _compared(metric: str, name: str, value: float, ways: Sequence[_Way], count: int) -> Compared:
    """By the way of counting that comes nearest, in its unit."""
    way = min(ways, key=lambda each: abs(each.figure - value) / each.unit)
    is_share = metric in _MEANT
    near = max(0.005, _HITS / count) * way.unit if is_share else _near(value, way.figure)
    agrees = abs(way.figure - value) <= near
    return Compared(metric=metric, logged_as=name, logged=value, measured=way.figure, counted=way.words, agrees=agrees)


def _near(value: float, figure: float) -> float:
    return _TOLERANCE * max(abs(value), abs(figure)) + 1e-4


def within_draws(first: AgreementRecord, others: Sequence[AgreementRecord]) -> AgreementRecord:
    """What disagrees is held once more against how far its figure lies from draw to draw.

    A validation that draws random numbers (noise, masks, crops) has other figures every time. One more draw lies from
    the mean of n within `sd * sqrt(1 + 1/n)`, of which four are allowed.

    Args:
        first: of the seed by which versions are measured.
        others: of the same weights and other seeds; without spread among all of them nothing changes.
    """
    compared, spread = [], {}
    for each in first.compared:
        named = [one for other in others for one in other.compared if one.metric == each.metric]
        figures = [each.measured, *(one.measured for one in named if one.counted == each.counted)]
        sd = float(np.std(figures, ddof=1)) if len(figures) > 1 else 0.0
        if sd > 0 and not each.agrees:
            spread[each.metric] = sd
            allowed = _near(each.logged, each.measured) + _DEVIATIONS * sd * math.sqrt(1 + 1 / len(figures))
            each = each.model_copy(update={"agrees": abs(float(np.mean(figures)) - each.logged) <= allowed})
        compared.append(each)
    if not spread:
        return first
    drawn = ", ".join(f"{metric} by {sd:.2g}" for metric, sd in spread.items())
    reason = f"the script's validation draws random numbers; from draw to draw differs {drawn} (standard deviation)"
    return AgreementRecord(compared=tuple(compared), reason=reason)


def in_words(agreement: AgreementRecord) -> str:
    """Both figures of what does not agree, and what that mostly comes from."""
    if any(each.metric == LOSS for each in agreement.disagreeing):
        cause = "split(), outputs() or loss() of 03_eval.py give something else than the script's validation compares"
    else:
        cause = "predict() of 03_eval.py answers otherwise than the script's own figure counts"
    return (
        f"{agreement.disagreement}. The likely cause: {cause}. Correct it there, or take the name out of LOGGED in "
        "03_eval.py where the script means something else by it."
    )
