"""What inputs and classes tell about the data."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from progtrain.diagnosis.evidence import Evidence, Symptom, weight_layers
from progtrain.predictions import counted

IMBALANCE = 3.0
LOW_RECALL = 0.2
"""How far the rarest class's recall must lie below the mean recall."""
NEIGHBOUR_CORRELATION = 0.5
MIN_SIGNAL_LENGTH = 16
CONVOLUTIONS = frozenset({"conv1d", "conv2d"})
PIXEL_CORRELATION = 0.15
"""Of an image's pixels with those beside and with those below them; inputs without order have about 0."""
MIN_IMAGE_SIDE = 8
MIN_SAMPLES = 5
SCALE_RATIO = 10.0
FAR_FROM_ZERO = 3.0
FAR_COLUMN = 10.0
"""Typical standard deviations between zero and the mean of one input, which then outweighs what varies."""


def imbalanced(evidence: Evidence) -> Symptom | None:
    """Classes at more than 3:1 and a rarest class that is found far less often than the others."""
    predictions = evidence.predictions
    if predictions is None or not evidence.classifies:
        return None
    known = counted(predictions)
    targets = predictions.targets[known]
    classes, counts = np.unique(targets, return_counts=True)
    if len(classes) < 2 or (ratio := float(counts.max() / counts.min())) <= IMBALANCE:
        return None
    right = predictions.answers.reshape(known.shape)[known] == targets
    recalls = np.array([right[targets == label].mean() for label in classes])
    rarest = int(counts.argmin())
    recall, mean = float(recalls[rarest]), float(recalls.mean())
    if recall > mean - LOW_RECALL:
        return None
    return Symptom(
        {"count_ratio": ratio, "minority_recall": recall, "mean_recall": mean},
        0.5,
        f"Class {classes[rarest]} is {ratio:.1f} times rarer than the most frequent one; its recall is {recall:.2f}, "
        f"the mean over classes {mean:.2f}.",
    )


def unshuffled(evidence: Evidence) -> Symptom | None:
    """The training loader yields the samples in one order, epoch after epoch."""
    train = evidence.snapshot.train
    if train is None or train.sampler != "SequentialSampler":
        return None
    batches = math.ceil(train.size / train.batch_size) if train.size and train.batch_size else 0
    return Symptom(
        {"batches": batches}, 0.8, "The training loader does not shuffle: every epoch brings the same batches."
    )


def local_structure(evidence: Evidence) -> Symptom | None:
    """Neighbouring inputs correlate, in a signal or an image, and the first layer is a dense one over all of them."""
    inputs = _flat_inputs(evidence)
    if inputs is None or inputs.shape[1] < MIN_SIGNAL_LENGTH:
        return None
    layers = weight_layers(evidence.snapshot)
    if not layers or layers[0].type != "Linear" or layers[0].arguments.get("in_features") != inputs.shape[1]:
        return None
    correlation, image = _neighbour_correlation(inputs), _as_image(inputs)
    if correlation <= NEIGHBOUR_CORRELATION and not image:
        return None
    read = "of them" if not image else f"of them, which are images of {image['side']:.0f} by {image['side']:.0f}"
    correlations = [correlation] if not image else [image["row_correlation"], image["column_correlation"]]
    return Symptom(
        {"neighbour_correlation": correlation, "length": inputs.shape[1], **image},
        0.7,
        f"Neighbouring inputs correlate at {' and '.join(f'{each:.2f}' for each in correlations)}, and the first layer "
        f"is dense over all {inputs.shape[1]} {read}: it cannot use their order.",
    )


def _as_image(inputs: NDArray[np.float64]) -> dict[str, float]:
    """Side and correlations of a square image laid flat row by row; empty where the inputs are none.

    What lies one row further must correlate, and more than what lies half a row further: in a signal it does not.
    """
    side = math.isqrt(inputs.shape[1])
    if side * side != inputs.shape[1] or side < MIN_IMAGE_SIDE:
        return {}
    rows, half, columns = (_neighbour_correlation(inputs, step) for step in (1, side // 2, side))
    if min(rows, columns) <= PIXEL_CORRELATION or columns <= half:
        return {}
    return {"side": side, "row_correlation": rows, "column_correlation": columns}


def no_augmentation(evidence: Evidence) -> Symptom | None:
    """Convolutions classify signals or images, and the training step takes every batch as it comes."""
    calls = evidence.snapshot.calls
    convolutions = sum(call.function in CONVOLUTIONS for call in calls)
    if evidence.task != "classification" or not convolutions or any(call.before_forward for call in calls):
        return None
    return Symptom(
        {"convolutions": convolutions},
        0.3,
        f"{convolutions} convolution(s) classify batches that the training step does not vary: where a pattern stands "
        "can be learnt by heart.",
    )


def unscaled_inputs(evidence: Evidence) -> Symptom | None:
    """Scales of the inputs differ more than tenfold, or their mean, or that of one of them, lies far from zero."""
    inputs = _flat_inputs(evidence)
    if inputs is None:
        return None
    spread = inputs.std(axis=0)
    spread = spread[spread > 0]
    if not len(spread):
        return None
    ratio = float(np.quantile(spread, 0.9) / np.quantile(spread, 0.1))
    shift = float(abs(inputs.mean()) / inputs.std())
    # The points of one signal share a unit: where they hardly vary, as at an image's border, nothing is unscaled.
    is_signal = inputs.shape[1] >= MIN_SIGNAL_LENGTH and _neighbour_correlation(inputs) > NEIGHBOUR_CORRELATION
    furthest = float(np.abs(inputs.mean(axis=0)).max() / np.median(spread))
    if shift <= FAR_FROM_ZERO and (is_signal or (ratio <= SCALE_RATIO and furthest <= FAR_COLUMN)):
        return None
    return Symptom(
        {"scale_ratio": ratio, "mean_over_spread": shift, "furthest_mean": furthest},
        0.6,
        f"The inputs' scales differ by a factor of {ratio:.0f}, their mean lies {shift:.1f} standard deviations from "
        f"zero, and that of the furthest input {furthest:.1f} typical ones.",
    )


def _neighbour_correlation(inputs: NDArray[np.float64], step: int = 1) -> float:
    """Mean correlation over the samples between each input and the one `step` places further."""
    centred = inputs - inputs.mean(axis=0)
    spread = centred.std(axis=0)
    scaled = centred / np.where(spread > 0, spread, 1.0)
    return float(np.mean(scaled[:, :-step] * scaled[:, step:]))


def _flat_inputs(evidence: Evidence) -> NDArray[np.float64] | None:
    """`[N, features]`, or None where there are too few samples to tell."""
    if evidence.inputs is None or len(evidence.inputs) < MIN_SAMPLES:
        return None
    return evidence.inputs.reshape(len(evidence.inputs), -1).astype(np.float64)
