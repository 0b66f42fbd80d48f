"""What the numbers that are to be estimated, and the errors made of them, tell."""

from __future__ import annotations

import numpy as np

from progtrain.diagnosis.evidence import Evidence, Symptom
from progtrain.predictions import counted

HEAVY_KURTOSIS = 6.0
"""Excess kurtosis; a normal distribution has 0."""
SKEW = 2.0
"""An exponential distribution has 2, a normal one 0."""
MIN_TARGETS = 20
TARGET_SCALE = 10.0
"""Beyond this factor from 1, either way, the targets' spread or their mean is a scale of its own."""
_RESCALES = frozenset({"mul", "add", "div", "exp", "expm1"})
_ANSWERS = frozenset({"linear", "conv1d", "conv2d", "conv3d", "lstm", "gru"})


def heavy_tailed_residuals(evidence: Evidence) -> Symptom | None:
    """A few large errors carry most of a regression's squared loss."""
    predictions = evidence.predictions
    if predictions is None or not evidence.values:
        return None
    known = counted(predictions)
    residuals = predictions.answers.astype(float).reshape(known.shape)[known] - predictions.targets[known]
    spread = float(residuals.std())
    if residuals.size < MIN_TARGETS or spread == 0:
        return None
    kurtosis = float(np.mean(((residuals - residuals.mean()) / spread) ** 4)) - 3.0
    if kurtosis <= HEAVY_KURTOSIS:
        return None
    squares = np.sort(residuals**2)[::-1]
    carried = float(squares[: max(1, len(squares) // 20)].sum() / squares.sum())
    return Symptom(
        {"kurtosis": kurtosis, "share_of_worst_twentieth": carried},
        0.5,
        f"The residuals have heavy tails (excess kurtosis {kurtosis:.1f}): the worst 5 % of the samples carry "
        f"{carried:.0%} of the squared error.",
    )


def skewed_target(evidence: Evidence) -> Symptom | None:
    """A positive regression target with a long tail upwards."""
    predictions = evidence.predictions
    if predictions is None or not evidence.values:
        return None
    targets = predictions.targets[counted(predictions)].astype(float)
    spread = float(targets.std())
    if targets.size < MIN_TARGETS or spread == 0 or float(targets.min()) <= 0:
        return None
    skew = float(np.mean(((targets - targets.mean()) / spread) ** 3))
    if skew <= SKEW:
        return None
    return Symptom(
        {"skew": skew, "median": float(np.median(targets)), "largest": float(targets.max())},
        0.4,
        f"The target is positive and skewed ({skew:.1f}): its median is {np.median(targets):.3g}, its largest value "
        f"{targets.max():.3g}.",
    )


def unscaled_target(evidence: Evidence) -> Symptom | None:
    """Regression targets far from 0 or from a spread of 1, which the last layer has to answer as they are."""
    predictions = evidence.predictions
    if predictions is None or not evidence.values or _is_rescaled(evidence):
        return None
    targets = predictions.targets[counted(predictions)].astype(float)
    spread = float(targets.std()) if targets.size >= MIN_TARGETS else 0.0
    if spread == 0:
        return None
    mean = float(targets.mean())
    if 1 / TARGET_SCALE <= spread <= TARGET_SCALE and abs(mean) <= TARGET_SCALE:
        return None
    return Symptom(
        {"mean": mean, "spread": spread},
        0.8,
        f"The targets have a mean of {mean:.3g} and a spread of {spread:.3g}, and the last layer answers on that "
        "scale, although weights begin, and are stepped, for answers near 1.",
    )


def _is_rescaled(evidence: Evidence) -> bool:
    """Whether something multiplies, shifts or exponentiates what the last layer gives, before the loss."""
    calls = [call.function for call in evidence.snapshot.calls]
    last = max((place for place, name in enumerate(calls) if name in _ANSWERS), default=len(calls))
    return any(name in _RESCALES for name in calls[last + 1 :])
