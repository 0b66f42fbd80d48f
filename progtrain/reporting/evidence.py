"""What a version answered, sample by sample and in groups, next to what the version before answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from progtrain.predictions import Predictions

QUANTILES = (0.5, 0.9, 0.99)
MOST_CONFUSED = 5
MOST_CLASSES = 12


@dataclass(frozen=True)
class SampleLine:
    """One of infer_samples; `before` is the earlier answer, and `note` what became of it."""

    folder: str
    sample_id: str
    truth: str
    answer: str
    loss: float
    before: str
    note: str


@dataclass(frozen=True)
class ClassLine:
    """A class's share of right answers."""

    label: str
    count: int
    accuracy: float
    before: float | None


@dataclass(frozen=True)
class ConfusionLine:
    """How many samples of class `truth` were answered `answer`."""

    truth: str
    answer: str
    count: int
    before: int | None


@dataclass(frozen=True)
class QuantileLine:
    """A quantile of the absolute error."""

    quantile: float
    error: float
    before: float | None


@dataclass(frozen=True)
class Answers:
    """Everything said of the answers; groups that the task does not have are empty."""

    samples: tuple[SampleLine, ...] = ()
    classes: tuple[ClassLine, ...] = ()
    confusions: tuple[ConfusionLine, ...] = ()
    quantiles: tuple[QuantileLine, ...] = ()
    gained: int | None = None
    """Samples that were wrong before and are right now."""
    lost: int | None = None
    """Samples that were right before and are wrong now."""


def describe_answers(
    now: Predictions, before: Predictions | None, sample_ids: Sequence[str], classifies: bool
) -> Answers:
    """Compare two versions' answers to the same samples.

    Args:
        now: of the version described.
        before: of the version it is compared with, in the same order of samples.
        sample_ids: of infer_samples, in the order of their folders.
        classifies: whether an answer is a class, right or wrong, rather than a number with an error.
    """
    if before is not None and not np.array_equal(now.sample_ids, before.sample_ids):
        before = None
    samples = _samples(now, before, sample_ids, classifies)
    if now.targets.ndim != 1 or now.answers.size != now.targets.size:
        return Answers(samples)
    if not classifies:
        return Answers(samples, quantiles=_quantiles(now, before))
    right, was = _right(now), None if before is None else _right(before)
    return Answers(
        samples,
        classes=_classes(now, right, was),
        confusions=_confusions(now, before),
        gained=None if was is None else int((right & ~was).sum()),
        lost=None if was is None else int((was & ~right).sum()),
    )


def _right(predictions: Predictions) -> NDArray[np.bool_]:
    return np.asarray(predictions.answers.reshape(predictions.targets.shape) == predictions.targets)


def _samples(
    now: Predictions, before: Predictions | None, sample_ids: Sequence[str], classifies: bool
) -> tuple[SampleLine, ...]:
    places = {str(sample_id): row for row, sample_id in enumerate(now.sample_ids)}
    lines = []
    for position, sample_id in enumerate(sample_ids, start=1):
        row = places.get(sample_id)
        if row is None:
            continue
        lines.append(
            SampleLine(
                folder=f"{position:04d}",
                sample_id=sample_id,
                truth=_value(now.targets[row]),
                answer=_value(now.answers[row]),
                loss=float(now.losses[row]),
                before="" if before is None else _value(before.answers[row]),
                note=_note(now, before, row, classifies),
            )
        )
    return tuple(lines)


def _note(now: Predictions, before: Predictions | None, row: int, classifies: bool) -> str:
    if not classifies:
        if before is None:
            return ""
        change = float(now.losses[row] - before.losses[row])
        return "closer than before" if change < 0 else "further off than before" if change > 0 else "as before"
    right = bool(np.all(now.answers[row] == now.targets[row]))
    if before is None:
        return "right" if right else "wrong"
    was = bool(np.all(before.answers[row] == before.targets[row]))
    if right == was:
        return "right as before" if right else "wrong as before"
    return "wrong before, right now" if right else "right before, wrong now"


def _value(value: NDArray[np.generic] | np.generic) -> str:
    flat = np.asarray(value).ravel()
    if flat.size > 1:
        return f"{flat.size} values"
    return f"{float(flat[0]):.4g}" if np.issubdtype(flat.dtype, np.floating) else str(flat[0])


def _classes(now: Predictions, right: NDArray[np.bool_], was: NDArray[np.bool_] | None) -> tuple[ClassLine, ...]:
    """By class where there are few, the classes of the lowest accuracy where there are many."""
    lines = []
    for label in np.unique(now.targets):
        rows = now.targets == label
        before = None if was is None else float(was[rows].mean())
        lines.append(ClassLine(str(label), int(rows.sum()), float(right[rows].mean()), before))
    if len(lines) > MOST_CLASSES:
        lines = sorted(lines, key=lambda line: line.accuracy)[:MOST_CLASSES]
    return tuple(lines)


def _confusions(now: Predictions, before: Predictions | None) -> tuple[ConfusionLine, ...]:
    wrong = ~_right(now)
    if not wrong.any():
        return ()
    answers = now.answers.reshape(now.targets.shape)
    pairs, counts = np.unique(np.stack([now.targets[wrong], answers[wrong]]), axis=1, return_counts=True)
    lines = []
    for column in np.argsort(-counts, kind="stable")[:MOST_CONFUSED]:
        truth, answer = pairs[:, column]
        earlier = None
        if before is not None:
            earlier = int(((before.targets == truth) & (before.answers.reshape(before.targets.shape) == answer)).sum())
        lines.append(ConfusionLine(str(truth), str(answer), int(counts[column]), earlier))
    return tuple(lines)


def _quantiles(now: Predictions, before: Predictions | None) -> tuple[QuantileLine, ...]:
    errors, earlier = _errors(now), None if before is None else _errors(before)
    return tuple(
        QuantileLine(
            share,
            float(np.quantile(errors, share)),
            None if earlier is None else float(np.quantile(earlier, share)),
        )
        for share in QUANTILES
    )


def _errors(predictions: Predictions) -> NDArray[np.float64]:
    targets = predictions.targets.astype(np.float64)
    return np.abs(predictions.answers.astype(np.float64).reshape(targets.shape) - targets)
