"""The usual metrics of a task by scikit-learn and numpy, under the names that eval_score.json has."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import jiwer
import numpy as np
import torch
from sklearn import metrics
from torch import Tensor

Figures = dict[str, float]


def averaged(losses: Iterable[Tensor], sizes: Iterable[int]) -> float:
    """The mean of a loss as Lightning logs it: over batches, weighed by their sizes."""
    return float(np.average([float(loss) for loss in losses], weights=list(sizes)))


def by_batches(losses: Iterable[Tensor], sizes: Iterable[int]) -> Figures:
    """The plain mean over batches, as scripts average them by hand; and what a mean over samples would be."""
    each = [float(loss) for loss in losses]
    return {"loss": float(np.mean(each)), "loss_over_samples": float(np.average(each, weights=list(sizes)))}


def classes(answers: Sequence[Tensor], targets: Sequence[Tensor]) -> Figures:
    """Accuracy and macro F1 of classes, tokens or whatever was flattened."""
    answered, true = torch.cat(list(answers)).flatten(), torch.cat(list(targets)).flatten()
    return {
        "accuracy": float(metrics.accuracy_score(true, answered)),
        "f1_macro": float(metrics.f1_score(true, answered, average="macro")),
    }


def labels(scores: Sequence[Tensor], targets: Sequence[Tensor], threshold: float = 0.0) -> Figures:
    found, true = torch.cat(list(scores)), torch.cat(list(targets))
    return {
        "f1_macro": float(metrics.f1_score(true, found > threshold, average="macro")),
        "auroc": float(metrics.roc_auc_score(true, found)),
    }


def pixels(answers: Sequence[Tensor], targets: Sequence[Tensor], ignored: int | None = None) -> Figures:
    """The IoU over all pixels, and the mean of the pictures' dice; both averaged over the classes that occur."""
    pairs = _pictures(answers, targets)
    if ignored is not None:
        pairs = [(t[t != ignored], a[t != ignored]) for t, a in pairs]
    true, answered = (torch.cat(parts) for parts in zip(*pairs, strict=True))
    return {
        "iou": float(metrics.jaccard_score(true, answered, average="macro")),
        "dice": float(np.mean([metrics.f1_score(t, a, average="macro") for t, a in pairs])),
    }


def foreground(answers: Sequence[Tensor], targets: Sequence[Tensor]) -> Figures:
    """The same of the foreground, where one score a pixel tells it; pictures that have none, and got none, left out."""
    pairs = _pictures(answers, targets)
    true, answered = (torch.cat(parts) for parts in zip(*pairs, strict=True))
    return {
        "iou": float(metrics.jaccard_score(true, answered)),
        "dice": float(np.mean([metrics.f1_score(t, a) for t, a in pairs if t.any() or a.any()])),
    }


def _pictures(answers: Sequence[Tensor], targets: Sequence[Tensor]) -> list[tuple[Tensor, Tensor]]:
    whole = zip(torch.cat(list(targets)), torch.cat(list(answers)), strict=True)
    return [(target.flatten().long(), answer.flatten().long()) for target, answer in whole]


def values(answers: Sequence[Tensor], targets: Sequence[Tensor]) -> Figures:
    answered, true = torch.cat(list(answers)).double(), torch.cat(list(targets)).double()
    answered, true = answered.reshape(len(answered), -1), true.reshape(len(true), -1)
    varies = (true != true[0]).any(dim=0)  # of a column that does not vary, nothing can be explained
    scale = (answered.abs() + true.abs()).clamp(min=1e-12)
    return {
        "mae": float(metrics.mean_absolute_error(true, answered)),
        "rmse": float(metrics.mean_squared_error(true.flatten(), answered.flatten()) ** 0.5),
        "r2": float(metrics.r2_score(true[:, varies], answered[:, varies])),
        "smape": float((2 * (answered - true).abs() / scale).mean()),
    }


def texts(answers: list[str], truths: list[str]) -> Figures:
    return {
        "cer": float(jiwer.cer(truths, answers)),
        "wer": float(jiwer.wer(truths, answers)),
        "exact_match": float(np.mean([a == t for a, t in zip(answers, truths, strict=True)])),
    }
