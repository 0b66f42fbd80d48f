"""Signs that the optimizer's steps are too large, or never settle."""

from __future__ import annotations

import math

import numpy as np

from progtrain.diagnosis.evidence import Evidence, Series, Symptom, detrended, tail

DIVERGED_LOSS = 1e3
"""AutoTrainer's bound; a loss in large units may start above it, so it must have grown as well."""
DIVERGED_GROWTH = 10.0

EARLY_SHARE = 0.1
EARLY_RISE = 0.5

SPIKE_RATIO = 2.0
SPIKE_OF_RANGE = 0.1
SPIKE_NEIGHBOURS = 3
SPIKE_SHARE = 0.1

SWING_OF_SCORE = 0.03
SWING_OF_LOSS = 0.1
SWING_EPOCHS = 0.2
SWING_MIN_EPOCHS = 8

JITTER_TAIL = 1 / 3
JITTER_MIN_EPOCHS = 9
JITTER_OF_LEVEL = 0.03
JITTER_OF_FALL = 0.01


def diverged(evidence: Evidence) -> Symptom | None:
    """A loss that is not a number, or beyond 1e3 and ten times where it began."""
    for name, points in (("training", evidence.curves.train_loss), ("validation", evidence.curves.valid_loss)):
        broken = next((point for point in points if not math.isfinite(point.value)), None)
        if broken is not None:
            return Symptom(
                {"step": broken.step, "loss": broken.value},
                1.0,
                f"The {name} loss is {broken.value} from step {broken.step} on.",
            )
        if not points:
            continue
        # The first step's loss is the training's, and validation may be logged by another.
        seen = evidence.snapshot.first_loss if name == "training" else None
        first, last = seen or points[0].value, points[-1].value
        if last >= DIVERGED_LOSS and last >= DIVERGED_GROWTH * abs(first):
            return Symptom(
                {"first": first, "last": last},
                1.0,
                f"The {name} loss grew from {first:.3g} to {last:.3g}.",
            )
    return None


def early_instability(evidence: Evidence) -> Symptom | None:
    """The training loss rises by half or more in the first tenth of the steps, and falls below its start later."""
    points = evidence.curves.train_loss
    if len(points) < 2 or not len(evidence.train):
        return None
    border = EARLY_SHARE * points[-1].step
    early = [point.value for point in points if point.step <= border] or [points[0].value]
    later = [point.value for point in points[len(early) :]]
    start = points[0].value if evidence.snapshot.first_loss is None else evidence.snapshot.first_loss
    peak = max(early)
    if not later or start <= 0 or peak < (1 + EARLY_RISE) * start or min(later) >= start:
        return None
    return Symptom(
        {"start": start, "peak": peak, "best_later": min(later)},
        0.6,
        f"The training loss rises from {start:.3g} to {peak:.3g} in the first {EARLY_SHARE:.0%} of the steps "
        f"and only then falls, to {min(later):.3g}.",
    )


def gradient_spikes(evidence: Evidence) -> Symptom | None:
    """A few single points of the training loss stand at twice the level of their neighbours on both sides."""
    points = evidence.curves.train_loss
    values = np.array([point.value for point in points], dtype=np.float64)
    if len(values) < 4 * SPIKE_NEIGHBOURS or not np.isfinite(values).all():
        return None
    least = SPIKE_OF_RANGE * float(np.median(values[:SPIKE_NEIGHBOURS]) - values.min())
    spikes = [index for index in range(len(values)) if _is_spike(values, index, least)]
    if not spikes or len(spikes) > max(1.0, SPIKE_SHARE * len(values)):
        return None
    highest = max(spikes, key=lambda index: values[index])
    return Symptom(
        {"spikes": len(spikes), "highest": float(values[highest]), "step": points[highest].step},
        0.5,
        f"The training loss has {len(spikes)} isolated spike(s); the highest, at step {points[highest].step}, "
        f"reaches {values[highest]:.3g}.",
    )


def _is_spike(values: Series, index: int, least: float) -> bool:
    if not SPIKE_NEIGHBOURS <= index < len(values) - SPIKE_NEIGHBOURS:
        return False
    before = np.median(values[index - SPIKE_NEIGHBOURS : index])
    after = np.median(values[index + 1 : index + 1 + SPIKE_NEIGHBOURS])
    level = float(max(before, after))
    return bool(values[index] > SPIKE_RATIO * level and values[index] - level > least)


def oscillating(evidence: Evidence) -> Symptom | None:
    """A validation score swings by .03, or the validation loss by a tenth, up and down in a fifth of the epochs.

    Where the rate decays, swings while it is high are what it decays for: there the second half of the epochs counts.
    """
    candidates = [
        (name, np.array([point.value for point in points], dtype=np.float64), SWING_OF_SCORE)
        for name, points in evidence.curves.valid_metrics.items()
        if all(0 <= point.value <= 1 for point in points)
    ]
    valid = evidence.valid
    if len(valid):
        candidates.append(("validation loss", valid, SWING_OF_LOSS * float(np.median(np.abs(valid)))))
    decays = evidence.snapshot.rate_changes is not None
    for name, every, swing in candidates:
        values = every[len(every) // 2 :] if decays else every
        if len(values) < SWING_MIN_EPOCHS:
            continue
        share = _turns(values, swing) / (len(values) - 2)
        if share >= SWING_EPOCHS:
            return Symptom(
                {"share_of_epochs": share, "swing": swing},
                min(0.5 + share / 2, 0.8),
                f"{name} swings up and down by {swing:.2g} or more in {share:.0%} of the {len(values)} epochs judged.",
            )
    return None


def _turns(values: Series, swing: float) -> int:
    """How many inner points stand at least `swing` above or below both neighbours."""
    change = np.diff(values)
    large = np.minimum(np.abs(change[:-1]), np.abs(change[1:])) >= swing
    return int((large & (change[:-1] * change[1:] < 0)).sum())


def late_jitter(evidence: Evidence) -> Symptom | None:
    """The validation loss scatters about its trend over the last third of the epochs."""
    valid = evidence.valid
    if len(valid) < JITTER_MIN_EPOCHS:
        return None
    late = tail(valid, JITTER_TAIL)
    jitter = float(detrended(late).std())
    level, fall = float(np.abs(late).mean()), float(valid[0] - valid.min())
    if jitter <= JITTER_OF_LEVEL * level or jitter <= JITTER_OF_FALL * fall:
        return None
    decays = evidence.snapshot.rate_changes is not None
    how = "although the rate decays" if decays else "at a constant rate"
    return Symptom(
        {"jitter": jitter, "level": level, "rate_decays": float(decays)},
        0.5,
        f"Over the last {len(late)} epochs the validation loss scatters by {jitter:.2g} about {level:.3g}, {how}.",
    )
