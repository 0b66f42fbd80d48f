"""The losses of a learning-rate range test, and the rate that they suggest (Smith, arXiv 1506.01186)."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from progtrain.records import Record

LOWEST_RATE: Final = 1e-6
HIGHEST_RATE: Final = 1.0
HIGHEST_PLAIN_SGD_RATE: Final = 10.0
"""Without momentum a step is about ten times as short."""
STEPS: Final = 100

_HALF_WINDOW: Final = 5
"""Steps to either side that a loss is averaged with, and a slope is fitted to; about two thirds of a decade in all."""
_FEWEST_STEPS: Final = 4 * _HALF_WINDOW
_LEAST_FALL: Final = 0.05
"""Share of the loss at the lowest rates; a curve that falls less shows no rate that trains."""
_ONSET: Final = 0.1
"""Share of the whole fall; from where the smoothed loss was last above it, it falls for good."""
_DEVIATIONS: Final = 5.0
"""Of an average over a window; the lowest of many windows lies well below the start by chance alone."""


class RateCurve(Record):
    """The loss of every step, and the rate of the step; `failure` is what ended it before its time, if anything."""

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    failure: str = ""


class Suggestion(Record):
    """The rates that a curve suggests; None where it suggests none, for the reason that `remark` gives."""

    rate: float | None
    """To train with throughout."""
    peak: float | None = None
    """To come down from, under a schedule."""
    remark: str = ""


def rate_at(step: int, highest: float) -> float:
    """The rate of a step of a range test: it grows by the same factor from each to the next.

    Args:
        step: from 0.
        highest: rate of the last one.
    """
    return float(LOWEST_RATE * (highest / LOWEST_RATE) ** (step / (STEPS - 1)))


def suggest(curve: RateCurve) -> Suggestion:
    """The rate at which the smoothed loss falls most steeply against the logarithm of the rate.

    A schedule comes down from a higher one, and Smith's cycle has its peak where the loss is lowest (arXiv 1803.09820);
    suggested is the geometric mean of the two, which benchmarks/range_tests.py found the best of six such rules.

    The slope is that of the line through a window of steps, and is looked for between the onset of the fall and the
    lowest smoothed loss: before it batches alone make slopes, behind it a loss that comes down from a spike falls most
    steeply of all. The first and last steps, half a window each, have none.
    """
    if len(curve.losses) < _FEWEST_STEPS:
        why = curve.failure or "the loss left all bounds"
        return Suggestion(rate=None, remark=f"it came to {len(curve.losses)} of {STEPS} steps: {why}")
    losses = np.asarray(curve.losses)
    offsets = np.arange(-_HALF_WINDOW, _HALF_WINDOW + 1)
    smoothed = np.convolve(losses, np.full(len(offsets), 1 / len(offsets)), mode="valid")
    lowest = int(smoothed.argmin())
    start = min(float(smoothed[0]), float(losses[: len(losses) // 4].mean()))
    fall = start - float(smoothed[lowest])
    if fall < _LEAST_FALL * abs(start):
        return Suggestion(rate=None, remark=f"the loss fell by less than {_LEAST_FALL:.0%} at every rate")
    # Of the first half: where nothing is learned yet, steps differ by their batches alone.
    scatter = float(np.diff(losses[: len(losses) // 2]).std() / np.sqrt(2 * len(offsets)))
    if fall < _DEVIATIONS * scatter:
        return Suggestion(rate=None, remark="the loss fell no further than it scatters from batch to batch")
    onset = int(np.flatnonzero(smoothed[: lowest + 1] >= start - _ONSET * fall)[-1])
    slopes = np.correlate(losses, offsets / np.square(offsets).sum(), mode="valid")
    steepest = onset + int(slopes[onset : lowest + 1].argmin())
    rate, most = curve.rates[_HALF_WINDOW + steepest], curve.rates[_HALF_WINDOW + lowest]
    return Suggestion(rate=_rounded(rate), peak=_rounded(math.sqrt(rate * most)))


def _rounded(rate: float) -> float:
    return float(f"{rate:.2g}")
