"""Where a learning curve falls, stands still and rises."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

import numpy as np

from progtrain.curves import Point, by_epoch

MIN_EPOCHS = 4
STANDSTILL = 0.2
"""Share of the curve's mean slope below which an epoch counts as standing still."""
NEGLIGIBLE = 0.01
"""A curve whose whole range is a smaller share of its level is one plateau."""
WINDOW_SHARE = 0.1


@dataclass(frozen=True)
class Segment:
    """Epochs `first` to `last` of one kind (`falls`, `plateau` or `rises`), with the values at both ends."""

    kind: str
    first: int
    last: int
    begins: float
    ends: float


def segments(points: tuple[Point, ...]) -> tuple[Segment, ...]:
    """The curve, smoothed over a tenth of its epochs, as segments in order; none for a short or broken curve."""
    values = np.array(by_epoch(points), dtype=np.float64)
    if len(values) < MIN_EPOCHS or not np.isfinite(values).all():
        return ()
    window = max(2, round(len(values) * WINDOW_SHARE))
    padded = np.concatenate([np.repeat(values[0], window // 2), values, np.repeat(values[-1], (window - 1) // 2)])
    smooth = np.convolve(padded, np.ones(window) / window, mode="valid")
    extent = float(np.ptp(smooth))
    flat = extent <= NEGLIGIBLE * float(np.abs(smooth).mean())
    least = np.inf if flat else STANDSTILL * extent / (len(values) - 1)
    kinds = ["falls" if step < -least else "rises" if step > least else "plateau" for step in np.diff(smooth)]
    found, first = [], 0
    for kind, length in _merged(kinds, window):
        last = first + length
        found.append(Segment(kind, first, last, float(values[first]), float(values[last])))
        first = last
    return tuple(found)


def _merged(kinds: list[str], shortest: int) -> list[tuple[str, int]]:
    """Runs of equal kinds; one shorter than `shortest` belongs to the run before it."""
    runs: list[tuple[str, int]] = []
    for kind, group in groupby(kinds):
        length = len(list(group))
        if runs and (length < shortest or runs[-1][0] == kind):
            runs[-1] = (runs[-1][0], runs[-1][1] + length)
        else:
            runs.append((kind, length))
    return runs
