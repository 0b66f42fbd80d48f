"""Metrics that follow neither from sums over samples nor from their order, by torchmetrics."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import torch
import torchmetrics.classification
import torchmetrics.regression
import torchmetrics.segmentation
import torchmetrics.text
from torch import Tensor
from torchmetrics import Metric

from progtrain.errors import EvaluationError
from progtrain.evaluation.scoring.averaging import completed, has_one_score, over_classes
from progtrain.evaluation.scoring.names import MetricName
from progtrain.predictions import IGNORED, Predictions
from progtrain.tasks import Task

#: These rank or weigh scores; every other classification metric judges the classes that were answered.
_NEEDS_SCORES: Final = (
    torchmetrics.classification.MulticlassPrecisionRecallCurve,
    torchmetrics.classification.BinaryPrecisionRecallCurve,
    torchmetrics.classification.MulticlassCalibrationError,
    torchmetrics.classification.BinaryCalibrationError,
    torchmetrics.classification.MulticlassHingeLoss,
    torchmetrics.classification.BinaryHingeLoss,
    torchmetrics.classification.MultilabelPrecisionRecallCurve,
    torchmetrics.classification.MultilabelCoverageError,
    torchmetrics.classification.MultilabelRankingAveragePrecision,
    torchmetrics.classification.MultilabelRankingLoss,
)
#: Metrics of values that compare how they vary, and say nothing of numbers that are all the same.
_VARYING: Final = ("spearmancorrcoef", "kendallrankcorrcoef", "concordancecorrcoef")
#: torchmetrics' classes of these names take several references for every answer.
_SEVERAL_REFERENCES: Final = ("BLEUScore", "SacreBLEUScore", "CHRFScore", "TranslationEditRate")


def of_values(name: str, predictions: Predictions) -> float:
    """A metric of numbers: the mean over the numbers of a target.

    Those that are the same in all samples tell no correlation.

    Args:
        name: of torchmetrics' class.
        predictions: of the whole set.

    Raises:
        EvaluationError: it needs arguments of its own, or is not one number.
    """
    count = len(predictions.targets)
    answers, targets = (
        part.astype(np.float64).reshape(count, -1) for part in (predictions.answers, predictions.targets)
    )
    if name.lower() in _VARYING:
        varying = (targets != targets[:1]).any(axis=0)
        answers, targets = answers[:, varying], targets[:, varying]
        if not targets.size or (answers == answers[:1]).all(axis=0).any():
            return math.nan
    kind = getattr(torchmetrics.regression, name)
    columns = targets.shape[1]
    metric = _made(kind, {"num_outputs": columns} if "num_outputs" in inspect.signature(kind).parameters else {})
    metric.set_dtype(torch.float64)
    if columns == 1:
        answers, targets = answers[:, 0], targets[:, 0]
    return as_number(metric(torch.from_numpy(answers), torch.from_numpy(targets)).double().mean())


def of_classes(name: str, read: MetricName, task: Task, predictions: Predictions) -> float:
    """A metric of classes or labels.

    Args:
        name: of torchmetrics' class, without its task.
        read: the name that it was asked for by.
        task: what the targets are.
        predictions: of the whole set.

    Raises:
        EvaluationError: it needs scores or arguments that are not there, or is not one number a class.
    """
    metric, read = _classifier_metric(name, read, task, predictions)
    needs_scores = isinstance(metric, _NEEDS_SCORES)
    if needs_scores and np.isnan(predictions.outputs).any():
        raise EvaluationError("it needs a score for every class, which the answers do not have")
    # With the digits of float32, large logits would be probabilities of 1.
    judged = torch.from_numpy(predictions.outputs.astype(np.float64) if needs_scores else predictions.answers)
    if needs_scores and isinstance(metric, torchmetrics.classification.MulticlassPrecisionRecallCurve):
        judged = _two_columns(judged, predictions)
    result = metric(judged, torch.from_numpy(predictions.targets))
    if result.numel() > 1:
        return over_classes(read, result.double().numpy(), predictions, task)
    return as_number(result)


def _classifier_metric(name: str, read: MetricName, task: Task, predictions: Predictions) -> tuple[Metric, MetricName]:
    """The metric, of every class alone where it can be, and what is to be made of that."""
    has_labels = task == "multilabel-classification"
    one_score = not has_labels and has_one_score(predictions)
    kind = _kind("Multilabel" if has_labels else "Multiclass", name)
    averages = "average" in inspect.signature(kind).parameters
    if not averages and (read.label is not None or read.average is not None):
        raise EvaluationError("it is one number for all classes: its name takes no class and no average")
    if one_score and not averages:
        kind = _kind("Binary", name)
    read = completed(read, task, predictions)
    # torchmetrics' averages treat classes that a set lacks each in its own way.
    by_class = read.average != "micro" and kind.__module__.startswith("torchmetrics.classification")
    wanted: dict[str, Any] = {
        "average": None if by_class or read.label is not None else read.average,
        "ignore_index": IGNORED if (predictions.targets == IGNORED).any() else None,
        "input_format": "index",
        "num_labels": predictions.outputs.shape[1] if has_labels else None,
        "num_classes": 2 if one_score else predictions.outputs.shape[1],
    }
    accepted = inspect.signature(kind).parameters
    return _made(kind, {key: value for key, value in wanted.items() if key in accepted}), read


def _kind(prefix: str, name: str) -> type[Metric]:
    kind: type[Metric] = getattr(torchmetrics.classification, f"{prefix}{name}", None) or getattr(
        torchmetrics.segmentation, name
    )
    return kind


def _two_columns(scores: Tensor, predictions: Predictions) -> Tensor:
    """`[N, 2, ...]` a probability for either class, where there is one score for the second."""
    if not has_one_score(predictions):
        return scores
    second = scores if bool(((scores >= 0) & (scores <= 1)).all()) else scores.sigmoid()
    return torch.stack([1 - second, second], dim=1)


def of_texts(name: str, predictions: Predictions) -> float:
    """A metric of texts.

    Args:
        name: of torchmetrics' class.
        predictions: of the whole set.

    Raises:
        EvaluationError: it needs arguments of its own, or is not one number.
    """
    metric = _made(getattr(torchmetrics.text, name), {})
    answers, targets = predictions.answers.tolist(), predictions.targets.tolist()
    return as_number(metric(answers, [[text] for text in targets] if name in _SEVERAL_REFERENCES else targets))


def _made(kind: Callable[..., Metric], arguments: dict[str, Any]) -> Metric:
    try:
        return kind(**arguments)
    except TypeError as error:
        raise EvaluationError(f"{error}; a metric with arguments of its own goes into metrics.py") from error


def as_number(result: Tensor) -> float:
    """A tensor of one element with the digits that its precision has: a float32 of 0.21 is 0.21, not 0.2099999934.

    Raises:
        EvaluationError: it has more elements.
    """
    if result.numel() != 1:
        raise EvaluationError(f"expected one number, got a tensor of shape {tuple(result.shape)}")
    return float(str(result.detach().reshape(()).numpy()[()]))
