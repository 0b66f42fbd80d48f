"""What the versions so far tell about the last change."""

from __future__ import annotations

from itertools import takewhile

from progtrain.diagnosis.evidence import Evidence, Symptom

WITHIN_NOISE_RUNNING = 3


def regressed(evidence: Evidence) -> Symptom | None:
    """The primary metric is significantly worse than the parent's."""
    comparison = evidence.comparison
    if comparison.verdict != "regressed" or comparison.difference is None:
        return None
    numbers = {"difference": comparison.difference}
    interval = ""
    if comparison.low is not None and comparison.high is not None:
        numbers |= {"low": comparison.low, "high": comparison.high}
        interval = f" (95 % interval {comparison.low:+.3g} to {comparison.high:+.3g})"
    action = evidence.history[-1].action if evidence.history else "the last change"
    return Symptom(
        numbers,
        0.95,
        f"{action} made {comparison.metric} worse by {abs(comparison.difference):.3g}{interval}; "
        "differences are signed so that positive is better.",
    )


def within_noise(evidence: Evidence) -> Symptom | None:
    """Three changes running whose effect cannot be told from noise."""
    running = tuple(takewhile(lambda attempt: attempt.verdict == "within noise", reversed(evidence.history)))
    if len(running) < WITHIN_NOISE_RUNNING:
        return None
    actions = ", ".join(attempt.action for attempt in reversed(running))
    return Symptom(
        {"running": len(running)},
        0.4,
        f"The last {len(running)} changes ({actions}) moved the primary metric by no more than noise.",
    )
