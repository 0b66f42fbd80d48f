"""Whether the training got as far as its epochs allowed."""

from __future__ import annotations

import numpy as np

from progtrain.diagnosis.evidence import STRAIGHT, Evidence, Symptom, steadiness
from progtrain.script.settings.duration import optimizer_steps

MIN_EPOCHS = 5
SLOW_SHARE_LEFT = 0.25
LATE_QUARTER = 0.25
LATE_TENTH = 0.1
LATE_GAIN = 0.02
EARLY_BEST = 0.25
EARLY_BEST_MIN_EPOCHS = 8
LEARNT = 0.1
"""A training loss that fell by less than this share of its first value has learnt nothing, early or late."""
FEW_STEPS = 1000


def slow(evidence: Evidence) -> Symptom | None:
    """Both losses fall in nearly a straight line for as long as the rate lasts, and much is left."""
    train, valid, left = evidence.train, evidence.valid, evidence.share_left
    if min(len(train), len(valid)) < MIN_EPOCHS or left is None or left < SLOW_SHARE_LEFT:
        return None
    ratio = min(steadiness(evidence, train), steadiness(evidence, valid))
    if ratio < STRAIGHT:
        return None
    decays = evidence.snapshot.rate_changes is not None
    how, span = ("fall", "the epochs at a large rate") if decays else ("still fall", "the epochs")
    return Symptom(
        {"train": float(train[-1]), "valid": float(valid[-1]), "second_to_first_half": ratio, "share_left": left},
        min(0.6 + left / 3, 0.9),
        f"Both losses {how} almost in a straight line (the second half of {span} brings {ratio:.0%} of what the first "
        f"half brings), with {min(left, 1.0):.0%} of a trivial predictor's loss left.",
    )


def still_improving(evidence: Evidence) -> Symptom | None:
    """The best epoch is among the last, and those brought a gain that counts."""
    valid = evidence.valid
    if len(valid) < MIN_EPOCHS:
        return None
    # A decaying rate always puts its best near the end; what it gains in its very last steps is what tells.
    share = LATE_TENTH if evidence.snapshot.rate_changes else LATE_QUARTER
    window = max(1, round(len(valid) * share))
    before, best = float(valid[:-window].min()), float(valid.min())
    fall = float(valid[0]) - best
    gain = (before - best) / fall if fall > 0 else 0.0
    if gain < LATE_GAIN:
        return None
    return Symptom(
        {"best_epoch": int(valid.argmin()), "epochs": len(valid), "late_gain": gain},
        min(0.4 + gain, 0.7),
        f"The best epoch is {int(valid.argmin())} of {len(valid)}: the last {window} epoch(s) brought {gain:.0%} of "
        "the whole fall of the validation loss.",
    )


def best_early(evidence: Evidence) -> Symptom | None:
    """The best epoch lies in the first quarter."""
    valid = evidence.valid
    if len(valid) < EARLY_BEST_MIN_EPOCHS:
        return None
    best, train = int(valid.argmin()), evidence.train
    learnt = not len(train) or train.min() < (1 - LEARNT) * train[0]
    if best + 1 > EARLY_BEST * len(valid) or not learnt:
        return None
    return Symptom(
        {"best_epoch": best, "epochs": len(valid), "best": float(valid[best]), "last": float(valid[-1])},
        0.45,
        f"The validation loss is best at epoch {best} of {len(valid)} ({valid[best]:.3g}; {valid[-1]:.3g} at the end): "
        f"the other {len(valid) - 1 - best} epochs bring nothing.",
    )


def few_steps(evidence: Evidence) -> Symptom | None:
    """Fewer than 1,000 optimizer steps in all."""
    steps = _planned_steps(evidence)
    if steps is None or steps >= FEW_STEPS:
        return None
    return Symptom(
        {"steps": steps},
        0.6 * (1 - steps / FEW_STEPS),
        f"The whole training takes {steps} optimizer steps, fewer than {FEW_STEPS}.",
    )


def _planned_steps(evidence: Evidence) -> int | None:
    planned = optimizer_steps(evidence.snapshot)
    if planned is not None:
        return planned
    steps = [points[-1].step + 1 for points in evidence.curves.columns.values() if points]
    return int(np.max(steps)) if steps else None
