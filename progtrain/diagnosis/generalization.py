"""Whether the model is too free for its training data, or not free enough."""

from __future__ import annotations

import numpy as np

from progtrain.diagnosis.evidence import STRAIGHT, Evidence, Series, Symptom, steadiness, tail

MIN_EPOCHS = 5
OVERFIT_RISE = 0.05
OVERFIT_RISE_OF_BENDS = 1.5
"""A rise of less than this many of the curve's own bends is scatter: in benchmarks/planted_faults.py curves that only
scatter rise by at most 0.8 of them, those that overfit by 1.8 and more."""
OVERFIT_GAP = 10.0
"""A validation loss that stands still at this multiple of the training loss is overfitting too, without a rise."""
BENIGN_GAP = 2.0
"""From this multiple on the training set is fitted far better than the validation set."""
STANDSTILL = 0.1
OTHER_UNIT = 5.0
FIRST_EPOCHS = 3
"""A validation loss beyond so many times the training loss in all of the first epochs is of another kind or scale: of
one kind, those of a model that hardly knows anything are about the same."""
OVERFIT_SHARE_LEFT = 0.1
UNDERFIT_SHARE_LEFT = 0.25
UNDERFIT_GAP = 0.25
FLAT_TAIL = 0.25
FLAT_CHANGE = 0.03


def overfitting(evidence: Evidence) -> Symptom | None:
    """The validation loss rises after its best, or stands still far above, while the training loss falls."""
    train, valid = _in_one_unit(evidence)
    if min(len(train), len(valid)) < MIN_EPOCHS:
        return None
    best, best_epoch = float(valid.min()), int(valid.argmin())
    last, rise = _last(valid), _rise(valid)
    rises = _rises(train, valid)
    gapes = (
        _change(valid) > -STANDSTILL
        and last >= OVERFIT_GAP * train[-1] > 0
        and last > OVERFIT_SHARE_LEFT * float(valid[0])
    )
    if not (rises or gapes):
        return None
    numbers = {"best_epoch": best_epoch, "best": best, "last": last, "rise": rise, "train": float(train[-1])}
    confidence = _confidence_of_errors(evidence)
    if confidence is not None:
        numbers["wrong_top_probability"] = confidence
    return Symptom(
        numbers,
        min(0.5 + rise / 2, 0.9),
        f"The validation loss is best at epoch {best_epoch} ({best:.3g}) and ends at {last:.3g} ({rise:+.1%}), "
        f"while the training loss falls to {train[-1]:.3g}."
        + (f" Wrong answers carry a mean top probability of {confidence:.2f}." if confidence is not None else ""),
    )


def benign_gap(evidence: Evidence) -> Symptom | None:
    """The validation loss stands far above the training loss, and has not risen.

    What is learnt by heart does no harm there, and a larger network generalizes better, not worse (Nakkiran et al.,
    "Deep Double Descent", arXiv 1912.02292): on the data of benchmarks/priors.py twice the width helped, dropout hurt.
    """
    train, valid = _in_one_unit(evidence)
    if min(len(train), len(valid)) < MIN_EPOCHS or overfitting(evidence) is not None:
        return None
    last, least = _last(valid), float(train[-1])
    if not last >= BENIGN_GAP * least > 0 or last <= OVERFIT_SHARE_LEFT * float(valid[0]):
        return None
    return Symptom(
        {"train": least, "valid": last, "rise": _rise(valid)},
        0.5,
        f"The validation loss ends at {last:.3g}, {last / least:.1f} times the training loss, without having risen.",
    )


def underfitting(evidence: Evidence) -> Symptom | None:
    """Both losses are high and flat, and close together."""
    (train, valid), left = _in_one_unit(evidence), evidence.share_left
    if min(len(train), len(valid)) < MIN_EPOCHS or left is None or left < UNDERFIT_SHARE_LEFT:
        return None
    gap = (valid[-1] - train[-1]) / abs(train[-1]) if train[-1] else 0.0
    falling = min(_change(train), _change(valid)) < -FLAT_CHANGE or steadiness(evidence, train) >= STRAIGHT
    if gap > UNDERFIT_GAP or falling:
        return None
    return Symptom(
        {"train": float(train[-1]), "valid": float(valid[-1]), "gap": float(gap), "share_left": left},
        min(0.4 + left / 2, 0.9),
        f"Training loss {train[-1]:.3g} and validation loss {valid[-1]:.3g} are close and have gone flat with "
        f"{min(left, 1.0):.0%} of a trivial predictor's loss left.",
    )


def _in_one_unit(evidence: Evidence) -> tuple[Series, Series]:
    """`[epochs]` training and validation loss, the first brought to the scale of the second where that is another.

    A training that compares standardized targets, or measures otherwise than its validation, logs losses whose ratio
    says nothing of a gap.
    """
    train, valid = evidence.train, evidence.valid
    first = slice(min(len(train), len(valid), FIRST_EPOCHS))
    if not len(train[first]) or (train[first] <= 0).any():
        return train, valid
    ratio = float((valid[first] / train[first]).min())
    return (train * ratio, valid) if ratio > OTHER_UNIT else (train, valid)


def _change(values: Series) -> float:
    """Relative change of the least-squares line over the last quarter of the values."""
    late = tail(values, FLAT_TAIL)
    slope = float(np.polyfit(np.arange(len(late)), late, 1)[0])
    level = float(np.abs(late).mean())
    return slope * (len(late) - 1) / level if level else 0.0


def _last(valid: Series) -> float:
    """Where the validation loss ends, less its scatter."""
    return float(np.median(valid[-3:]))


def _rise(valid: Series) -> float:
    """How far the validation loss ends above its best, as a share of it."""
    best = float(valid.min())
    return (_last(valid) - best) / abs(best) if best else 0.0


def _rises(train: Series, valid: Series) -> bool:
    """Whether the validation loss rises after its best by more than scatter, while the training loss falls."""
    at_best = train[min(int(valid.argmin()), len(train) - 1)]
    beyond_scatter = _last(valid) - float(valid.min()) >= OVERFIT_RISE_OF_BENDS * _bend(valid)
    return bool(_rise(valid) >= OVERFIT_RISE and train[-1] < at_best and beyond_scatter)


def _bend(values: Series) -> float:
    """Median size of the second differences over the second half: large where a curve scatters, small on a slope."""
    return float(np.median(np.abs(np.diff(tail(values, 0.5), 2))))


def _confidence_of_errors(evidence: Evidence) -> float | None:
    """Mean top probability of the wrong answers; None where outputs are no class scores or nothing is wrong."""
    predictions = evidence.predictions
    if predictions is None or evidence.task != "classification" or predictions.outputs.ndim != 2:
        return None
    wrong = predictions.answers.ravel() != predictions.targets.ravel()
    if not wrong.any():
        return None
    scores = predictions.outputs[wrong].astype(np.float64)
    scores -= scores.max(axis=1, keepdims=True)
    return float(np.mean(1.0 / np.exp(scores).sum(axis=1)))
