"""Signs that a score is not to be believed; no action answers them."""

from __future__ import annotations

import math

import numpy as np

from progtrain.diagnosis.evidence import Evidence, Series, Symptom
from progtrain.records import Finding, Snapshot

PERIODIC_MIN_EPOCHS = 20
SHORTEST_PERIOD = 3
LEAST_PERIODS = 3
CHANCE = 1e-3
"""How often scatter without a period would look as periodic as this, all periods together."""
TREND_DEGREE = 3
SWING_OF_LEVEL = 0.02
"""A swing of less than this share of the curve's level is no matter, be it as regular as it may."""
CYCLIC = ("Cyclic", "WarmRestarts")
"""Schedulers that make a curve swing by themselves."""


def leaked(snapshot: Snapshot) -> tuple[Finding, ...]:
    """One finding where a version trains on samples that it is measured by."""
    seen = snapshot.shared
    if seen is None or not seen.shared:
        return ()
    message = (
        f"{seen.shared} of {seen.looked_at} validation samples that were looked at are training samples too: "
        "the score is higher than on samples it never saw."
    )
    numbers = {"shared": float(seen.shared), "looked_at": float(seen.looked_at)}
    return (Finding(name="trains-on-validation", numbers=numbers, severity=1.0, message=message),)


def periodic(evidence: Evidence) -> Symptom | None:
    """A validation curve swings with a period of so many epochs: batches in a fixed order, or data that come and go."""
    if any(cyclic in scheduler.type for scheduler in evidence.snapshot.schedulers for cyclic in CYCLIC):
        return None
    metrics = evidence.curves.valid_metrics.items()
    curves = {name: np.array([point.value for point in points], dtype=np.float64) for name, points in metrics}
    for name, every in {"validation loss": evidence.valid, **curves}.items():
        if len(every) < PERIODIC_MIN_EPOCHS or not np.isfinite(every).all():
            continue
        late = every[len(every) // 3 :]
        periods = range(SHORTEST_PERIOD, len(late) // LEAST_PERIODS + 1)
        waves = {period: _wave(late, period) for period in periods}
        period = min(waves, key=lambda each: waves[each][0])
        chance, swing = waves[period]
        if chance * len(periods) <= CHANCE and swing >= SWING_OF_LEVEL * float(np.abs(late).mean()):
            return Symptom(
                {"period": period, "chance": chance, "swing": swing},
                0.4,
                f"{name} swings by {swing:.2g} with a period of {period} epochs: look for batches in a fixed order, "
                "and for validation data that change.",
            )
    return None


def _wave(values: Series, period: int) -> tuple[float, float]:
    """A sine of this period on a smooth trend: the chance that scatter is fitted as well, and its height.

    The chance is that of the F-test of two more regressors, which has a closed form: (RSS1 / RSS0)^(d / 2) with d
    degrees of freedom left.
    """
    index = np.arange(len(values))
    trend = np.vander(index / len(values), TREND_DEGREE + 1)
    angle = math.tau * index / period
    whole = np.column_stack([trend, np.sin(angle), np.cos(angle)])
    fitted = np.linalg.lstsq(whole, values, rcond=None)[0]
    left = float(((values - whole @ fitted) ** 2).sum())
    before = float(((values - trend @ np.linalg.lstsq(trend, values, rcond=None)[0]) ** 2).sum())
    chance = (left / before) ** ((len(values) - whole.shape[1]) / 2) if before > 0 else 1.0
    return chance, 2 * math.hypot(*fitted[-2:])
