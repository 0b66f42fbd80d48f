"""The pictures beside result-analysis.md: confusion matrix or residuals, and the change by group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from progtrain.predictions import Predictions, counted
from progtrain.reporting.groups import Group, GroupLine, name_of
from progtrain.reporting.plots import DPI, FAINT, VALID, VERDICT_COLOURS, plain, save
from progtrain.tasks import Task, has_classes, has_values

MOST_CLASSES: Final = 30
"""More are not legible in one matrix."""
MOST_POINTS: Final = 5000
CONFUSION, RESIDUALS, DELTAS = "confusion.png", "residuals.png", "deltas.png"


@dataclass(frozen=True)
class Picture:
    """A file beside the page, and what it shows; where it could not be drawn, why."""

    name: str
    caption: str
    failure: str | None = None


def draw_answers(folder: Path, predictions: Predictions, task: Task, names: Sequence[str]) -> tuple[Picture, ...]:
    """Confusion matrix of classes, answers over targets of numbers; nothing for other tasks.

    Args:
        folder: the version's artifacts.
        predictions: its own.
        task: what the targets are.
        names: of the classes.
    """
    if has_values(task):
        failure = save(folder / RESIDUALS, lambda: _residuals(predictions))
        return (Picture(RESIDUALS, "answers over targets", failure),)
    known = counted(predictions)
    if not has_classes(task) or not known.any():
        return ()
    truths = predictions.targets[known].astype(int)
    answers = predictions.answers.reshape(known.shape)[known].astype(int)
    classes = int(max(truths.max(), answers.max())) + 1
    if classes > MOST_CLASSES:
        return ()
    table = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(table, (truths, answers), 1)
    failure = save(folder / CONFUSION, lambda: _matrix(table, [name_of(index, names) for index in range(classes)]))
    return (Picture(CONFUSION, "answers by true class, as shares of the class", failure),)


def draw_deltas(folder: Path, group: Group | None) -> tuple[Picture, ...]:
    """The change of every group against the version before; nothing where there is none before."""
    if group is None or not any(line.delta is not None for line in group.lines):
        return ()
    failure = save(folder / DELTAS, lambda: _deltas(group))
    return (Picture(DELTAS, f"change of {group.measure} by {group.kind}", failure),)


def _deltas(group: Group) -> Figure:
    figure = Figure(figsize=(6.4, 1.4 + 0.32 * len(group.lines)), dpi=DPI, layout="constrained")
    axes = figure.add_subplot()
    places = range(len(group.lines))
    spread = [2 * (line.error or 0.0) for line in group.lines]
    bars = [line.delta or 0.0 for line in group.lines]
    colours = [_colour(group, line) for line in group.lines]
    axes.barh(places, bars, xerr=spread, color=colours, ecolor="#57606a", height=0.7)
    axes.axvline(0, color="#57606a", linewidth=0.8)
    axes.set_yticks(places, [f"{line.label} (n={line.count})" for line in group.lines])
    axes.invert_yaxis()
    better = "higher" if group.higher_is_better else "lower"
    shown = ", ± 2 standard errors" if any(spread) else ""
    axes.set_xlabel(f"change of {group.measure}\nby {group.kind} ({better} is better){shown}")
    plain(axes)
    return figure


def _colour(group: Group, line: GroupLine) -> str:
    if not line.is_clear:
        return VERDICT_COLOURS["within noise"]
    gained = ((line.delta or 0.0) > 0) == group.higher_is_better
    return VERDICT_COLOURS["improved" if gained else "regressed"]


def _matrix(table: np.ndarray[tuple[int, int], np.dtype[np.int64]], names: Sequence[str]) -> Figure:
    shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    size = 2.4 + 0.3 * len(names)
    figure = Figure(figsize=(size + 0.6, size), dpi=DPI, layout="constrained")
    axes = figure.add_subplot()
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(len(names)), names, rotation=60 if max(map(len, names)) > 3 else 0)
    axes.set_yticks(range(len(names)), names)
    axes.set_xlabel("answer")
    axes.set_ylabel("truth")
    axes.tick_params(labelsize=8)
    for (row, column), count in np.ndenumerate(table):
        if count and len(names) <= 12:
            colour = "white" if shares[row, column] > 0.5 else "#24292f"
            axes.text(column, row, str(count), ha="center", va="center", fontsize=7, color=colour)
    figure.colorbar(image, ax=axes, shrink=0.8)
    return figure


def _residuals(predictions: Predictions) -> Figure:
    known = counted(predictions)
    targets = predictions.targets[known].astype(np.float64)
    residuals = predictions.answers.reshape(known.shape)[known].astype(np.float64) - targets
    every = max(1, len(targets) // MOST_POINTS)
    figure = Figure(figsize=(9.6, 3.6), dpi=DPI, layout="constrained")
    scatter, histogram = figure.subplots(1, 2)
    scatter.plot(targets[::every], (targets + residuals)[::every], ".", color=VALID, markersize=3, alpha=0.5)
    scatter.axline((float(targets.mean()),) * 2, slope=1, color=FAINT)
    scatter.set_xlabel("target")
    scatter.set_ylabel("answer")
    finite = residuals[np.isfinite(residuals)]
    histogram.hist(finite, bins=min(60, max(10, len(finite) // 20)), color=VALID)
    histogram.axvline(0, color="#57606a", linewidth=0.8)
    histogram.set_xlabel("answer less target")
    histogram.yaxis.set_major_locator(MaxNLocator(integer=True))
    for axes in (scatter, histogram):
        plain(axes)
    return figure
