"""Where a version wins and loses: one measure over groups of targets, before and after."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from progtrain.edits import distances
from progtrain.predictions import Predictions, counted
from progtrain.tasks import Task, has_classes

Numbers = NDArray[np.float64]
Mask = NDArray[np.bool_]

MOST_LINES = 12
SLICES = 4
CLEAR = 2.0
"""Standard errors by which a group must have changed to be spoken of."""


@dataclass(frozen=True)
class GroupLine:
    """One group; `error` is the standard error of the change, None where the measure is no mean over samples."""

    label: str
    count: int
    value: float
    before: float | None
    error: float | None

    @property
    def delta(self) -> float | None:
        """Value less what it was before."""
        return None if self.before is None else self.value - self.before

    @property
    def is_clear(self) -> bool:
        """Whether the change is beyond the noise of the group's own samples."""
        return self.delta is not None and self.error is not None and abs(self.delta) > CLEAR * self.error > 0


@dataclass(frozen=True)
class Group:
    """A measure by groups of one kind: `recall` by `class`, `mean absolute error` by `target`."""

    kind: str
    measure: str
    higher_is_better: bool
    lines: tuple[GroupLine, ...]

    @property
    def won(self) -> GroupLine | None:
        """The group that clearly gained most; None where none did."""
        return max(self._clear(+1), key=self._gain, default=None)

    @property
    def lost(self) -> GroupLine | None:
        """The group that clearly lost most; None where none did."""
        return min(self._clear(-1), key=self._gain, default=None)

    def _clear(self, sign: int) -> list[GroupLine]:
        return [line for line in self.lines if line.is_clear and sign * self._gain(line) > 0]

    def _gain(self, line: GroupLine) -> float:
        return (line.delta or 0.0) * (1 if self.higher_is_better else -1)


def group_answers(now: Predictions, before: Predictions | None, task: Task, names: Sequence[str]) -> Group | None:
    """The groups that say most for a task; None where there is nothing to group.

    Args:
        now: of the version described.
        before: of the one that it is compared with, on the same samples.
        task: what the targets are.
        names: of the classes or labels.
    """
    if not len(now.targets):
        return None
    if has_classes(task):
        return _by_class(now, before, names)
    if task == "multilabel-classification":
        return _by_label(now, before, names)
    if task == "transcription":
        return _by_length(now, before)
    if task == "language-modelling":
        return _by_position(now, before)
    if task == "forecasting" and now.targets.ndim > 1 and now.targets.shape[1] > 1:
        return _by_step(now, before)
    return _by_target(now, before)


def _line(label: str, mask: Mask, now: Numbers, before: Numbers | None, independent: bool = True) -> GroupLine:
    """The mean over a mask; the change's error from the pairs, where its elements are a sample's each."""
    count, value = int(mask.sum()), float(now[mask].mean())
    if before is None:
        return GroupLine(label, count, value, None, None)
    change = (now - before)[mask]
    error = float(change.std(ddof=1) / np.sqrt(count)) if independent and count > 1 else None
    return GroupLine(label, count, value, float(before[mask].mean()), error)


def _most_telling(lines: Iterable[GroupLine], higher_is_better: bool) -> tuple[GroupLine, ...]:
    """All where they are few; else those that changed most, or the worst where nothing is known of before."""
    every = list(lines)
    if len(every) <= MOST_LINES:
        return tuple(every)
    worst = 1 if higher_is_better else -1
    return tuple(sorted(every, key=lambda n: worst * n.value if n.delta is None else -abs(n.delta))[:MOST_LINES])


def _by_class(now: Predictions, before: Predictions | None, names: Sequence[str]) -> Group:
    known = counted(now)
    is_right, was_right = _both(lambda p: (p.answers.reshape(known.shape) == p.targets).astype(np.float64), now, before)
    lines = (
        _line(name_of(int(label), names), known & (now.targets == label), is_right, was_right, now.targets.ndim == 1)
        for label in np.unique(now.targets[known])
    )
    return Group("class", "recall", True, _most_telling(lines, True))


def _by_label(now: Predictions, before: Predictions | None, names: Sequence[str]) -> Group:
    scores, earlier = _both(_f1_by_label, now, before)
    known = counted(now)
    counts = ((now.targets == 1) & known).sum(axis=0)
    lines = (
        GroupLine(name_of(i, names), int(counts[i]), float(scores[i]), None if earlier is None else earlier[i], None)
        for i in range(len(scores))
    )
    return Group("label", "F1", True, _most_telling(lines, True))


def _f1_by_label(predictions: Predictions) -> Numbers:
    known = counted(predictions)
    answered, true = ((part == 1) & known for part in (predictions.answers, predictions.targets))
    both = answered.sum(axis=0) + true.sum(axis=0)
    return np.asarray(2 * (answered & true).sum(axis=0) / np.maximum(both, 1), dtype=np.float64)


def _by_length(now: Predictions, before: Predictions | None) -> Group:
    """Character errors over characters: not a mean over samples, so without an error of its own."""
    lengths = np.array([len(text) for text in now.targets.tolist()])
    errors, earlier = _both(_text_errors, now, before)
    lines = []
    for label, mask in _slices(lengths.astype(np.float64)):
        total = max(int(lengths[mask].sum()), 1)
        was = None if earlier is None else float(earlier[mask].sum()) / total
        lines.append(GroupLine(label, int(mask.sum()), float(errors[mask].sum()) / total, was, None))
    return Group("length of the text", "character error rate", False, tuple(lines))


def _text_errors(predictions: Predictions) -> Numbers:
    return distances(predictions.answers.tolist(), predictions.targets.tolist()).astype(np.float64)


def _by_position(now: Predictions, before: Predictions | None) -> Group:
    known = counted(now)
    surprise, earlier = _both(lambda p: -p.outputs.reshape(known.shape).astype(np.float64), now, before)
    return Group("position", "loss", False, _along(known, surprise, earlier, "tokens"))


def _by_step(now: Predictions, before: Predictions | None) -> Group:
    errors, earlier = _both(_absolute_errors, now, before)
    return Group("ahead", "mean absolute error", False, _along(counted(now), errors, earlier, "steps"))


def _along(known: Mask, now: Numbers, before: Numbers | None, unit: str) -> tuple[GroupLine, ...]:
    """By place along the second axis, one or several places a group."""
    lines = []
    for places in np.array_split(np.arange(known.shape[1]), min(known.shape[1], MOST_LINES // 2)):
        mask = np.zeros_like(known)
        mask[:, places] = known[:, places]
        first, last = places[0] + 1, places[-1] + 1
        label = f"{unit} {first} to {last}" if last > first else f"{unit.removesuffix('s')} {first}"
        if mask.any():
            lines.append(_line(label, mask, now, before, independent=known.ndim == 2 and len(places) == 1))
    return tuple(lines)


def _by_target(now: Predictions, before: Predictions | None) -> Group:
    errors, earlier = _both(_absolute_errors, now, before)
    targets = now.targets.astype(np.float64)
    lines = [_line(label, mask, errors, earlier, targets.ndim == 1) for label, mask in _slices(targets)]
    return Group("target", "mean absolute error", False, tuple(lines))


def _absolute_errors(predictions: Predictions) -> Numbers:
    targets = predictions.targets.astype(np.float64)
    return np.asarray(np.abs(predictions.answers.astype(np.float64).reshape(targets.shape) - targets))


def _slices(values: Numbers) -> Iterable[tuple[str, Mask]]:
    """About as many values in each; fewer where many are equal."""
    finite = values[np.isfinite(values)]
    edges = np.unique(np.quantile(finite, np.linspace(0, 1, SLICES + 1))) if finite.size else np.empty(0)
    if len(edges) == 1:
        yield f"{edges[0]:.4g}", values == edges[0]
    for place, (low, high) in enumerate(pairwise(edges)):
        is_last = place == len(edges) - 2
        mask = (values >= low) & ((values <= high) if is_last else (values < high))
        if mask.any():
            yield f"{low:.4g} to {high:.4g}", mask


def _both(
    values: Callable[[Predictions], Numbers], now: Predictions, before: Predictions | None
) -> tuple[Numbers, Numbers | None]:
    return values(now), None if before is None else values(before)


def name_of(index: int, names: Sequence[str]) -> str:
    """A class's name, its number where it has none."""
    return names[index] if 0 <= index < len(names) else str(index)
