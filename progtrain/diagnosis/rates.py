"""Whether an adaptive optimizer's rate fits the size of the weights that it moves."""

from __future__ import annotations

import math
import statistics
from typing import Final

from progtrain.diagnosis.evidence import Evidence, Symptom, weight_layers
from progtrain.records import Layer, Snapshot
from progtrain.script.settings.duration import optimizer_steps
from progtrain.script.settings.rates import present_rate

ADAPTIVE: Final = frozenset({"Adam", "AdamW", "NAdam", "RAdam", "Adamax"})
"""They move a weight by about the rate a step, hardly ever by more (Kingma and Ba, arXiv 1412.6980, section 2.1)."""
REACH = 0.3
"""Weights that all steps together cannot move by this share of their first size stay nearly where they were drawn."""
MEAN_OF_SCHEDULE = 0.5
"""The mean rate of a cosine, of a straight line and, nearly, of one cycle, as a share of the peak."""
LEAP = 1.0
"""A step that moves every weight by its own size forgets what was learnt."""


def tiny_rate(evidence: Evidence) -> Symptom | None:
    """All steps together cannot move the weights far from where they were drawn.

    Only where every layer is drawn as torch draws: weights that were trained before need not go far.
    """
    snapshot, moved = evidence.snapshot, _rate_and_size(evidence.snapshot)
    steps = optimizer_steps(snapshot)
    if moved is None or not steps or snapshot.initialization:
        return None
    rate, size = moved
    reach = rate * steps * (MEAN_OF_SCHEDULE if snapshot.rate_changes else 1.0)
    if reach >= REACH * size:
        return None
    return Symptom(
        {"rate": rate, "steps": steps, "reach": reach, "size": size},
        0.85,
        f"{steps} steps at a rate of {rate:g} move a weight by {reach:.2g} at most, and weights begin at about "
        f"{size:.2g}.",
    )


def huge_rate(evidence: Evidence) -> Symptom | None:
    """A single step moves a weight as far as it is large."""
    moved = _rate_and_size(evidence.snapshot)
    if moved is None or moved[0] < LEAP * moved[1]:
        return None
    rate, size = moved
    return Symptom(
        {"rate": rate, "size": size},
        0.85,
        f"A step at a rate of {rate:g} moves every weight by about as much, and weights begin at about {size:.2g}.",
    )


def _rate_and_size(snapshot: Snapshot) -> tuple[float, float] | None:
    """The peak rate, and the root mean square of torch's first weights, `sqrt(1 / (3 fan_in))`, in the median layer."""
    rate = present_rate(snapshot)
    inputs = [fan_in for layer in weight_layers(snapshot) if (fan_in := _fan_in(layer))]
    if not rate or not inputs or not snapshot.optimizers:
        return None
    if not snapshot.automatic_optimization or any(each.type not in ADAPTIVE for each in snapshot.optimizers):
        return None
    return rate, statistics.median(math.sqrt(1 / (3 * each)) for each in inputs)


def _fan_in(layer: Layer) -> int | None:
    """How many inputs a unit of a dense or convolutional layer sums up; None where the layer does not say."""
    said = layer.arguments
    features, channels, kernel, groups = (
        said.get(name) for name in ("in_features", "in_channels", "kernel_size", "groups")
    )
    if isinstance(features, int):
        return features
    if not isinstance(channels, int) or not isinstance(kernel, list):
        return None
    sizes = [size for size in kernel if isinstance(size, int)]
    return channels // (groups if isinstance(groups, int) else 1) * math.prod(sizes)
