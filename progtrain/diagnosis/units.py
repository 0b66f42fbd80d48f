"""What a trained model's units do."""

from __future__ import annotations

from progtrain.diagnosis.evidence import Evidence, Symptom

DEAD_SHARE = 0.7
"""AutoTrainer's bound."""


def dead_units(evidence: Evidence) -> Symptom | None:
    """Behind one of the ReLUs, most units are zero on every validation sample that was looked at."""
    shares = evidence.dead_shares
    if not shares or max(shares) < DEAD_SHARE:
        return None
    worst = shares.index(max(shares))
    return Symptom(
        {"share": shares[worst], "relu": worst + 1, "relus": len(shares)},
        0.2 + 0.7 * shares[worst],
        f"{shares[worst]:.0%} of the units behind ReLU {worst + 1} of {len(shares)} are zero on every validation "
        "sample looked at: no gradient reaches what comes before them.",
    )
