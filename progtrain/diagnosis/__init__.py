"""What a trained version's curves, predictions and settings say is wrong with it, in numbers and in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from progtrain.diagnosis import (
    data,
    generalization,
    integrity,
    lineage,
    optimization,
    progress,
    rates,
    regularization,
    settings,
    targets,
    units,
)
from progtrain.diagnosis.evidence import Evidence, Rule, Symptom
from progtrain.records import Finding

__all__ = ["RULES", "TOLD_ALONE", "Evidence", "Rule", "Symptom", "diagnose"]

RULES: Final[Mapping[str, Rule]] = {
    "diverged": optimization.diverged,
    "early-instability": optimization.early_instability,
    "gradient-spikes": optimization.gradient_spikes,
    "oscillating": optimization.oscillating,
    "late-jitter": optimization.late_jitter,
    "overfitting": generalization.overfitting,
    "benign-gap": generalization.benign_gap,
    "underfitting": generalization.underfitting,
    "slow": progress.slow,
    "still-improving": progress.still_improving,
    "best-early": progress.best_early,
    "few-steps": progress.few_steps,
    "plain-sgd": settings.plain_sgd,
    "adam-with-decay": settings.adam_with_decay,
    "tiny-rate": rates.tiny_rate,
    "huge-rate": rates.huge_rate,
    "constant-rate": settings.constant_rate,
    "schedule-length": settings.schedule_length,
    "no-normalization": settings.no_normalization,
    "unnormalized-values": settings.unnormalized_values,
    "bottleneck": settings.bottleneck,
    "dead-units": units.dead_units,
    "excessive-decay": regularization.excessive_decay,
    "excessive-dropout": regularization.excessive_dropout,
    "bad-initial-loss": settings.bad_initial_loss,
    "loss-off-metric": settings.loss_off_metric,
    "imbalanced": data.imbalanced,
    "unshuffled": data.unshuffled,
    "local-structure": data.local_structure,
    "no-augmentation": data.no_augmentation,
    "unscaled-inputs": data.unscaled_inputs,
    "heavy-tailed-residuals": targets.heavy_tailed_residuals,
    "skewed-target": targets.skewed_target,
    "unscaled-target": targets.unscaled_target,
    "regressed": lineage.regressed,
    "within-noise": lineage.within_noise,
    "edge-of-range": lineage.edge_of_range,
    "periodic": integrity.periodic,
}
"""Finding's name in the playbook -> the rule that looks for it."""
TOLD_ALONE: Final = frozenset({"periodic"})
"""Findings that ask for a look at the data, and for no change of the script."""


def diagnose(evidence: Evidence) -> tuple[Finding, ...]:
    """Everything the rules find, most severe first; equally severe ones in the order of `RULES`."""
    found = [
        Finding(name=name, numbers=symptom.numbers, severity=symptom.severity, message=symptom.message)
        for name, rule in RULES.items()
        if (symptom := rule(evidence)) is not None
    ]
    return tuple(sorted(found, key=lambda finding: -finding.severity))
