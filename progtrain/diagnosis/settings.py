"""What the settings alone tell, before any curve: optimizer, schedule, layers and the first loss."""

from __future__ import annotations

import math

import numpy as np
from pydantic import JsonValue

from progtrain.diagnosis.evidence import Evidence, Symptom, weight_layers
from progtrain.predictions import counted
from progtrain.records import Snapshot
from progtrain.script.settings.duration import schedule_misfit
from progtrain.script.settings.knob_values import CLASS_LOSSES

MIN_HIDDEN_LAYERS = 2
ENOUGH_FEATURES = 16
"""With so many features, fewer than classes is usual: a language model's words outnumber them by far."""
FEW_FEATURES = 8
"""For values, which have no classes to be told apart."""
INITIAL_LOSS_RATIO = 1.5
ABSOLUTE_METRICS = frozenset({"mae", "mean_absolute_error"})
"""What the median of the answers minimizes, where a squared loss estimates their mean."""
NORMALIZING_CALLS = frozenset({"batch_norm", "layer_norm", "group_norm", "instance_norm", "rms_norm"})


def plain_sgd(evidence: Evidence) -> Symptom | None:
    """SGD without momentum."""
    for optimizer in evidence.snapshot.optimizers:
        if optimizer.type == "SGD" and not any(_number(group.get("momentum")) for group in optimizer.groups):
            lr = max((_number(group.get("lr")) for group in optimizer.groups), default=0.0)
            return Symptom({"lr": lr}, 0.8, f"The optimizer is SGD without momentum, at a rate of {lr:g}.")
    return None


def adam_with_decay(evidence: Evidence) -> Symptom | None:
    """Weight decay as an L2 term through Adam, where it is scaled by the gradients' history."""
    for optimizer in evidence.snapshot.optimizers:
        decay = max((_number(group.get("weight_decay")) for group in optimizer.groups), default=0.0)
        if optimizer.type == "Adam" and decay > 0:
            return Symptom({"weight_decay": decay}, 0.4, f"Adam applies its weight decay of {decay:g} as an L2 term.")
    return None


def constant_rate(evidence: Evidence) -> Symptom | None:
    """Nothing that changes the rate."""
    snapshot = evidence.snapshot
    if snapshot.rate_changes or not snapshot.optimizers or not snapshot.automatic_optimization:
        return None
    idle = f"{snapshot.schedulers[0].type} never changes it" if snapshot.schedulers else "no scheduler is configured"
    return Symptom({"schedulers": 0}, 0.5, f"The learning rate stays constant: {idle}.")


def schedule_length(evidence: Evidence) -> Symptom | None:
    """A scheduler made for a training of another length."""
    misfit = schedule_misfit(evidence.snapshot)
    if misfit is None:
        return None
    return Symptom(
        {"present": misfit.present, "length": misfit.length},
        0.6,
        f"{misfit.scheduler} has a {misfit.argument} of {misfit.present:g}, and the training takes {misfit.length} "
        f"{misfit.interval}s.",
    )


def no_normalization(evidence: Evidence) -> Symptom | None:
    """Two hidden layers or more, none normalized, in a network that does not estimate values."""
    hidden = _unnormalized(evidence.snapshot)
    if not hidden or evidence.values:
        return None
    return Symptom({"hidden_layers": hidden}, 0.5, f"None of the {hidden} hidden layers is normalized.")


def unnormalized_values(evidence: Evidence) -> Symptom | None:
    """The same in a network that estimates values, whose scale batch statistics disturb.

    On the data of benchmarks/priors.py batch normalization takes a tenth off the errors of classes and adds a twentieth
    to those of values.
    """
    hidden = _unnormalized(evidence.snapshot)
    if not hidden or not evidence.values:
        return None
    return Symptom(
        {"hidden_layers": hidden},
        0.15,
        f"None of the {hidden} hidden layers is normalized; what estimates values wants no statistics of batches.",
    )


def _unnormalized(snapshot: Snapshot) -> int:
    """How many hidden layers there are, where none of them is normalized and they are two or more; else 0."""
    hidden = len(weight_layers(snapshot)) - 1
    normalized = any("Norm" in layer.type for layer in snapshot.layers) or any(
        _short(call.function) in NORMALIZING_CALLS for call in snapshot.calls
    )
    return 0 if normalized or hidden < MIN_HIDDEN_LAYERS else hidden


def bottleneck(evidence: Evidence) -> Symptom | None:
    """The last layer reads fewer features than it has to tell apart.

    Scores of C classes out of h features have rank h (Yang et al., "Breaking the Softmax Bottleneck", 1711.03953), and
    cannot vary independently.
    """
    if evidence.values:
        return _bottleneck_of_values(evidence.snapshot)
    classes = _classes(evidence.snapshot)
    if not evidence.classifies or classes is None:
        return None
    heads = [layer for layer in evidence.snapshot.layers if layer.arguments.get("out_features") == classes]
    features = heads[-1].arguments.get("in_features") if heads else None
    if not isinstance(features, int) or not 0 < features < min(classes, ENOUGH_FEATURES):
        return None
    return Symptom(
        {"features": features, "classes": classes},
        0.75,
        f"The last layer tells {classes} classes apart by {features} features.",
    )


def _bottleneck_of_values(snapshot: Snapshot) -> Symptom | None:
    """A few values computed from many inputs by way of a handful of features; an autoencoder narrows on purpose."""
    dense = [layer.arguments for layer in weight_layers(snapshot) if "Linear" in layer.type]
    if len(dense) < 2:
        return None
    inputs, features, outputs = dense[0].get("in_features"), dense[-1].get("in_features"), dense[-1].get("out_features")
    if not isinstance(inputs, int) or not isinstance(features, int) or not isinstance(outputs, int):
        return None
    if outputs >= inputs or not 0 < features < min(inputs, FEW_FEATURES):
        return None
    return Symptom(
        {"features": features, "inputs": inputs},
        0.75,
        f"All that the last layer sees of {inputs} inputs are {features} features.",
    )


def bad_initial_loss(evidence: Evidence) -> Symptom | None:
    """The first loss is far above that of an indifferent model."""
    first, expected = evidence.snapshot.first_loss, _indifferent_loss(evidence)
    if first is None or expected is None or not math.isfinite(first) or first <= INITIAL_LOSS_RATIO * expected:
        return None
    return Symptom(
        {"first_loss": first, "expected": expected},
        0.4,
        f"The first loss is {first:.3g}; a model that knows nothing would begin at {expected:.3g}.",
    )


def loss_off_metric(evidence: Evidence) -> Symptom | None:
    """Versions are ranked by absolute errors, and the training minimizes squared ones."""
    metric = evidence.comparison.metric
    squared = any(_short(call.function) == "mse_loss" for call in evidence.snapshot.calls)
    if metric not in ABSOLUTE_METRICS or not squared:
        return None
    return Symptom(
        {"absolute": 1.0, "squared": 1.0},
        0.5,
        f"Versions are ranked by {metric}, which a median minimizes; the training minimizes squared errors, which "
        "estimates a mean.",
    )


def _indifferent_loss(evidence: Evidence) -> float | None:
    """`log(C)` for classes, the targets' variance for squared error (Karpathy, "A Recipe ..."); else None."""
    functions = {_short(call.function) for call in evidence.snapshot.calls}
    predictions = evidence.predictions
    if functions & CLASS_LOSSES:
        classes = _classes(evidence.snapshot)
        return math.log(classes) if classes else None
    if "binary_cross_entropy_with_logits" in functions:
        return math.log(2)
    if "mse_loss" in functions and predictions is not None and evidence.task != "transcription":
        return float(np.var(predictions.targets[counted(predictions)].astype(float))) or None
    return None


def _classes(snapshot: Snapshot) -> int | None:
    """The number of classes: the second size of the scores that the loss is given."""
    calls = (call for call in snapshot.calls if _short(call.function) in CLASS_LOSSES)
    return next((call.shapes[0][1] for call in calls if call.shapes and len(call.shapes[0]) > 1), None)


def _short(function: str) -> str:
    return function.rpartition(".")[2]


def _number(value: JsonValue) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
