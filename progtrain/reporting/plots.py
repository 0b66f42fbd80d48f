"""curves.png of a version and progress.png of a report; matplotlib's object interface, no global state."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from progtrain.curves import Curves, by_epoch
from progtrain.errors import shortened
from progtrain.reporting.story import Change

TRAIN, VALID, BEST, FAINT = "#8a8f98", "#1f6feb", "#1a7f37", "#c9ced6"
VERDICT_COLOURS: Mapping[str, str] = {
    "improved": "#1a7f37",
    "regressed": "#cf222e",
    "within noise": "#8a8f98",
    "without effect": "#c9ced6",
}
DPI = 100


def save(path: Path, draw: Callable[[], Figure]) -> str | None:
    """Draw a figure and write it; numbers that matplotlib cannot place end a picture, never a loop.

    Args:
        path: of the picture; nothing is left there where it cannot be drawn.
        draw: makes the figure.

    Returns:
        Why there is no picture; None where there is one.
    """
    try:
        # A name with dollar signs is no formula; a warning of numbers out of range is nothing for the terminal.
        with matplotlib.rc_context({"text.parse_math": False}), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            draw().savefig(path)
    except Exception as error:  # noqa: BLE001 - matplotlib, numpy and pillow raise what they like
        path.unlink(missing_ok=True)
        return shortened(f"{type(error).__name__}: {error}".replace("\n", " ").rstrip("."), 200)
    return None


def draw_curves(path: Path, title: str, curves: Curves) -> str | None:
    """Training and validation loss by epoch and, beside them, the validation metrics that are logged; as `save`."""
    return save(path, lambda: _curves(title, curves))


def draw_progress(path: Path, primary: str, higher_is_better: bool, changes: Sequence[Change]) -> str | None:
    """The primary metric by version, coloured by verdict, the best so far as a line, actions as labels; as `save`."""
    return save(path, lambda: _progress(primary, higher_is_better, changes))


def _curves(title: str, curves: Curves) -> Figure:
    metrics = {name: by_epoch(points) for name, points in curves.valid_metrics.items()}
    figure = Figure(figsize=(9.6 if metrics else 5.2, 3.6), dpi=DPI)
    losses = figure.add_subplot(1, 2 if metrics else 1, 1)
    _line(losses, by_epoch(curves.train_loss), "training", TRAIN)
    _line(losses, by_epoch(curves.valid_loss), "validation", VALID)
    valid = by_epoch(curves.valid_loss)
    if valid:
        best = min(range(len(valid)), key=valid.__getitem__)
        losses.plot([best], [valid[best]], "o", color=BEST, label=f"best, epoch {best}")
    _dress(losses, "loss")
    if metrics:
        scores = figure.add_subplot(1, 2, 2)
        for name, values in metrics.items():
            scores.plot(range(len(values)), values, linewidth=1.8, label=name)
        _dress(scores, "validation metric" if len(metrics) > 1 else next(iter(metrics)))
    figure.suptitle(title, x=0.02, ha="left", fontsize=11)
    figure.subplots_adjust(left=0.075 if metrics else 0.13, right=0.98, bottom=0.14, top=0.87, wspace=0.2)
    return figure


def _progress(primary: str, higher_is_better: bool, changes: Sequence[Change]) -> Figure:
    measured = [(place, change, change.primary) for place, change in enumerate(changes) if change.primary is not None]
    figure = Figure(figsize=(max(6.4, 0.75 * len(changes) + 1.6), 4.4), dpi=DPI)
    axes = figure.add_subplot()
    best_so_far: list[float] = []
    for _, _, value in measured:
        better = max if higher_is_better else min
        best_so_far.append(better(value, best_so_far[-1]) if best_so_far else value)
    places = [place for place, _, _ in measured]
    axes.step(places, best_so_far, where="post", color=FAINT, linewidth=2, label="best so far")
    for verdict, colour in {"": TRAIN, "first": VALID, **VERDICT_COLOURS}.items():
        chosen = [(place, value) for place, change, value in measured if change.verdict == verdict]
        if chosen:
            x, y = zip(*chosen, strict=True)
            axes.plot(x, y, "o", color=colour, markersize=7, label=verdict or "not analyzed")
    axes.set_xticks(range(len(changes)), [f"{c.version}\n{c.action}" for c in changes], rotation=40, ha="right")
    axes.set_xlim(-0.4, len(changes) - 0.6)
    axes.set_ylabel(f"{primary} ({'higher' if higher_is_better else 'lower'} is better)")
    plain(axes)
    if measured:
        axes.legend(frameon=False, fontsize=8, loc="best")
    figure.subplots_adjust(left=min(0.16, 1.0 / figure.get_figwidth()), right=0.98, bottom=0.32, top=0.96)
    return figure


def _line(axes: Axes, values: tuple[float, ...], label: str, colour: str) -> None:
    if values:
        axes.plot(range(len(values)), values, color=colour, linewidth=1.8, label=label)


def _dress(axes: Axes, quantity: str) -> None:
    axes.set_xlabel("epoch")
    axes.set_ylabel(quantity)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    plain(axes)
    if axes.lines:
        axes.legend(frameon=False, fontsize=8)


def plain(axes: Axes) -> None:
    """Axes without a box, with faint horizontal lines."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color=FAINT, linewidth=0.5, alpha=0.6)
    axes.tick_params(labelsize=8)
