"""Whether the model is held back by more regularization than anything can be learnt under."""

from __future__ import annotations

import math

from progtrain.diagnosis.evidence import Evidence, Symptom
from progtrain.records import OptimizerSettings, Snapshot
from progtrain.script.settings.knob_values import knob_values

FORGOTTEN_PER_EPOCH = 1.0
"""Rate times decay, summed over an epoch: at 1, weights keep a share of 1/e of themselves (Wang and Aitchison, arXiv
2405.13698: the time scale of weight decay is at least an epoch in what works)."""
STRONG_L2 = 0.1
"""Of a decay that an adaptive optimizer rescales: a thousand times the usual 1e-4."""
STRONG_DROPOUT = 0.5
"""The strongest that its inventors recommend (Srivastava et al. 2014)."""
_SHRINKS_BY_RATE = frozenset({"AdamW", "SGD"})


def excessive_decay(evidence: Evidence) -> Symptom | None:
    """Weights decay to nothing within an epoch."""
    for optimizer in evidence.snapshot.optimizers:
        rate, decay = (_largest(optimizer, name) for name in ("lr", "weight_decay"))
        steps = _steps_per_epoch(evidence.snapshot)
        forgotten = rate * decay * steps
        strong = forgotten > FORGOTTEN_PER_EPOCH if optimizer.type in _SHRINKS_BY_RATE else decay > STRONG_L2
        if strong:
            return Symptom(
                {"weight_decay": decay, "rate": rate, "steps_per_epoch": steps},
                0.9,
                f"{optimizer.type} decays weights by {decay:g} at a rate of {rate:g}, over {steps} steps an epoch: "
                "what is learnt in one epoch is gone in the next.",
            )
    return None


def excessive_dropout(evidence: Evidence) -> Symptom | None:
    """More than half of a layer is dropped in every step."""
    dropouts = knob_values(evidence.snapshot)["dropout"]
    values = [each for each in dropouts if isinstance(each, int | float)] if isinstance(dropouts, list) else []
    strongest = max(values, default=0.0)
    if strongest <= STRONG_DROPOUT:
        return None
    return Symptom({"dropout": strongest}, 0.8, f"A dropout of {strongest:g} leaves {1 - strongest:.0%} of a layer.")


def _largest(optimizer: OptimizerSettings, name: str) -> float:
    values = (group.get(name) for group in optimizer.groups)
    return max((float(value) for value in values if isinstance(value, int | float)), default=0.0)


def _steps_per_epoch(snapshot: Snapshot) -> int:
    train = snapshot.train
    if train is None or not train.size or not train.batch_size:
        return 1
    return math.ceil(math.ceil(train.size / train.batch_size) / max(1, snapshot.accumulate_grad_batches))
