"""What a version answered, sample by sample and in groups, next to what the version before answered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from progtrain.edits import Edit, edits
from progtrain.predictions import Predictions, counted, right
from progtrain.reporting.groups import Group, group_answers, name_of
from progtrain.reporting.shown import SampleLine, describe_samples
from progtrain.tasks import Task, has_classes, has_values

K = TypeVar("K", bound=Hashable)

QUANTILES = (0.5, 0.9, 0.99)
MOST_CONFUSED = 5


@dataclass(frozen=True)
class ConfusionLine:
    """How many times `truth` was answered `answer`; for characters either is empty where one was lost or put in."""

    truth: str
    answer: str
    count: int
    before: int | None


@dataclass(frozen=True)
class EditTotals:
    """Errors of all texts by their kind."""

    confused: int
    lost: int
    inserted: int


@dataclass(frozen=True)
class QuantileLine:
    """A quantile of the absolute error."""

    quantile: float
    error: float
    before: float | None


@dataclass(frozen=True)
class Answers:
    """Everything said of the answers; what the task does not have is empty.

    Args:
        wrong: how many answers are wrong, of the `confusions`' kind.
        gained: samples that were worse before: wrong, or further off.
        lost: samples that were better before.
    """

    samples: tuple[SampleLine, ...] = ()
    group: Group | None = None
    confusions: tuple[ConfusionLine, ...] = ()
    wrong: int = 0
    edits: EditTotals | None = None
    edits_before: EditTotals | None = None
    quantiles: tuple[QuantileLine, ...] = ()
    bias: float | None = None
    """Mean answer less mean target, where answers are numbers."""
    bias_error: float | None = None
    """Its standard error."""
    gained: int | None = None
    lost: int | None = None


def describe_answers(
    now: Predictions, before: Predictions | None, sample_ids: Sequence[str], task: Task, names: Sequence[str] = ()
) -> Answers:
    """Compare two versions' answers to the same samples.

    Args:
        now: of the version described.
        before: of the version it is compared with, in the same order of samples.
        sample_ids: of infer_samples, in the order of their folders.
        task: what the targets are.
        names: of the classes or labels, where the data says them.
    """
    if before is not None and not np.array_equal(now.sample_ids, before.sample_ids):
        before = None
    samples = describe_samples(now, before, sample_ids, task, names)
    group = group_answers(now, before, task, names)
    gained, lost = (None, None) if before is None else _turned(now, before, task)
    if has_values(task):
        residuals = _residuals(now)
        error = float(residuals.std() / np.sqrt(max(len(residuals), 1)))
        quantiles = _quantiles(now, before)
        bias = float(residuals.mean()) if len(residuals) else None
        return Answers(samples, group, quantiles=quantiles, bias=bias, bias_error=error, gained=gained, lost=lost)
    if task == "transcription":
        found, earlier = _all_edits(now), None if before is None else _all_edits(before)
        totals = None if earlier is None else _totals(earlier)
        lines = _edit_lines(found, earlier)
        return Answers(samples, group, lines, found.total(), _totals(found), totals, gained=gained, lost=lost)
    if has_classes(task):
        wrong, lines = _confusions(now, before, names)
        return Answers(samples, group, lines, wrong, gained=gained, lost=lost)
    return Answers(samples, group, gained=gained, lost=lost)


def _turned(now: Predictions, before: Predictions, task: Task) -> tuple[int, int]:
    """How many samples are better than before, and how many worse."""
    if has_values(task) or task == "language-modelling":
        change = now.losses - before.losses
        return int((change < 0).sum()), int((change > 0).sum())
    is_right, was_right = right(now), right(before)
    return int((is_right & ~was_right).sum()), int((was_right & ~is_right).sum())


# --- classes ------------------------------------------------------------------------------------


def _confusions(
    now: Predictions, before: Predictions | None, names: Sequence[str]
) -> tuple[int, tuple[ConfusionLine, ...]]:
    found, earlier = _pairs(now), None if before is None else _pairs(before)
    lines = (
        ConfusionLine(
            name_of(pair[0], names), name_of(pair[1], names), count, None if earlier is None else earlier[pair]
        )
        for pair, count in found.most_common(MOST_CONFUSED)
    )
    return found.total(), tuple(lines)


def _before(earlier: Counter[K] | None, kind: K) -> int | None:
    return None if earlier is None else earlier[kind]


def _pairs(predictions: Predictions) -> Counter[tuple[int, int]]:
    """(truth, wrong answer) -> how often."""
    known = counted(predictions)
    truths, answers = predictions.targets[known], predictions.answers.reshape(known.shape)[known]
    wrong = truths != answers
    pairs, counts = np.unique(np.stack([truths[wrong], answers[wrong]]), axis=1, return_counts=True)
    return Counter(dict(zip(zip(*pairs.astype(int).tolist(), strict=True), counts.tolist(), strict=True)))


# --- texts --------------------------------------------------------------------------------------


def _all_edits(predictions: Predictions) -> Counter[Edit]:
    pairs = zip(predictions.answers.tolist(), predictions.targets.tolist(), strict=True)
    return Counter(step for answer, truth in pairs if answer != truth for step in edits(answer, truth))


def _edit_lines(found: Counter[Edit], earlier: Counter[Edit] | None) -> tuple[ConfusionLine, ...]:
    return tuple(
        ConfusionLine(step.truth, step.answer, count, _before(earlier, step))
        for step, count in found.most_common(2 * MOST_CONFUSED)
    )


def _totals(found: Counter[Edit]) -> EditTotals:
    lost = sum(count for step, count in found.items() if not step.answer)
    inserted = sum(count for step, count in found.items() if not step.truth)
    return EditTotals(found.total() - lost - inserted, lost, inserted)


# --- numbers ------------------------------------------------------------------------------------


def _quantiles(now: Predictions, before: Predictions | None) -> tuple[QuantileLine, ...]:
    errors, earlier = np.abs(_residuals(now)), None if before is None else np.abs(_residuals(before))
    if not len(errors):
        return ()
    return tuple(
        QuantileLine(
            share,
            float(np.quantile(errors, share)),
            None if earlier is None else float(np.quantile(earlier, share)),
        )
        for share in QUANTILES
    )


def _residuals(predictions: Predictions) -> NDArray[np.float64]:
    """Answers less targets, of all targets that count."""
    known = counted(predictions)
    answers = predictions.answers.reshape(known.shape)[known].astype(np.float64)
    return np.asarray(answers - predictions.targets[known].astype(np.float64), dtype=np.float64)
