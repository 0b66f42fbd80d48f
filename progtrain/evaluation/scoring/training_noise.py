"""A difference's interval widened by what another seed of the training would have changed."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import stdtr, stdtrit

from progtrain.evaluation.scoring.sums import Array
from progtrain.records import TrainingNoise


def widened(difference: float, low: float, high: float, noise: TrainingNoise, confidence: float) -> tuple[float, float]:
    """The interval of a difference of two trainings, from both sources of noise.

    Each side's half-length is `sqrt(h² + (t·√2·s)²)`: `h` is the bootstrap's over the samples, `s` the standard
    deviation of one training's metric over seeds, `√2·s` that of a difference of two, `t` Student's quantile for as
    many degrees of freedom as there are repeats. Intervals of independent parts add in quadrature side by side
    (Zou and Donner, 2008, "Construction of confidence limits about effect measures").

    Args:
        difference: as measured.
        low: of the bootstrap's interval.
        high: of the bootstrap's interval.
        noise: over seeds.
        confidence: of both intervals.
    """
    margin = stdtrit(noise.repeats, (1 + confidence) / 2) * math.sqrt(2) * noise.deviation
    return difference - math.hypot(difference - low, margin), difference + math.hypot(high - difference, margin)


def probability_better(resampled: Array, noise: TrainingNoise | None) -> float:
    """That a difference is above 0, a tie counting half: over resamples, and over seeds where their noise is known.

    Args:
        resampled: `[R]` differences, positive is better.
        noise: over seeds.
    """
    if noise is None or noise.deviation == 0:
        return float((resampled > 0).mean() + (resampled == 0).mean() / 2)
    return float(np.mean(stdtr(noise.repeats, resampled / (math.sqrt(2) * noise.deviation))))
