"""What the versions so far tell about the last change."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

from pydantic import JsonValue

from progtrain.diagnosis.evidence import Evidence, Symptom
from progtrain.records import WITHOUT_EFFECT
from progtrain.step_records import TAKING_BACK, Attempt

WITHIN_NOISE_RUNNING = 3
RANGED_KNOBS = ("lr", "weight_decay", "dropout")


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
    told = [attempt for attempt in evidence.history if attempt.verdict != WITHOUT_EFFECT]
    running = tuple(takewhile(lambda attempt: attempt.verdict == "within noise", reversed(told)))
    if len(running) < WITHIN_NOISE_RUNNING:
        return None
    actions = ", ".join(attempt.action for attempt in reversed(running))
    return Symptom(
        {"running": len(running)},
        0.4,
        f"The last {len(running)} changes ({actions}) moved the primary metric by no more than noise.",
    )


def edge_of_range(evidence: Evidence) -> Symptom | None:
    """A step of one knob has paid, its value is still in use, and no version has tried one beyond it."""
    for attempt in reversed(evidence.history):
        stepped = attempt.verdict == "improved" and attempt.action != TAKING_BACK
        if stepped and len(attempt.touches) == 1 and attempt.touches[0] in RANGED_KNOBS:
            symptom = _at_edge(attempt, attempt.touches[0], evidence.history)
            if symptom is not None:
                return symptom
    return None


def _at_edge(step: Attempt, knob: str, history: Sequence[Attempt]) -> Symptom | None:
    values = {attempt.version: _number(attempt.knobs.get(knob)) for attempt in history}
    before, value = values.get(step.parent or ""), values[step.version]
    if before is None or value is None or value == before or values[history[-1].version] != value:
        return None
    beyond = [tried for tried in values.values() if tried is not None and (tried - value) * (value - before) > 0]
    if beyond:
        return None
    return Symptom(
        {knob: value, "before": before},
        0.45,
        f"{step.version} gained by moving {knob} from {before:g} to {value:g}, the furthest that was tried.",
    )


def _number(value: JsonValue) -> float | None:
    """A knob's one value, also where it stands in several places; None where they differ."""
    values = value if isinstance(value, list) else [value]
    numbers = {float(each) for each in values if isinstance(each, int | float) and not isinstance(each, bool)}
    return numbers.pop() if len(numbers) == 1 and all(isinstance(each, int | float) for each in values) else None
