"""From a model's answers to predictions and metric values, in a process that never ran the model's script."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from progtrain.errors import EvaluationError
from progtrain.evaluation.asking.decoding import decode, mean_loss, predictions_of
from progtrain.evaluation.asking.inference import Asked
from progtrain.evaluation.scoring.by_torchmetrics import as_number
from progtrain.evaluation.scoring.metrics import Measure, measure_for, value_of
from progtrain.evaluation.scoring.names import LOSS
from progtrain.evaluation.yardstick.stated import Yardstick
from progtrain.predictions import Predictions
from progtrain.records import MetricValue
from progtrain.tasks import Task


@dataclass(frozen=True)
class Measured:
    """What one pass over the validation set gave."""

    predictions: Predictions
    metrics: tuple[MetricValue, ...]


def measure(
    answers: Iterable[Asked], sample_ids: Sequence[str] | None, yardstick: Yardstick, user_metrics: Path
) -> Measured:
    """Compute every metric.

    A metric that cannot be computed, or is not finite, has the value None; the reason is printed.

    Args:
        answers: to every validation sample, in order.
        sample_ids: one a sample, in order; positions where None.
        yardstick: the task, the metrics and the loss.
        user_metrics: the workspace's metrics.py.

    Raises:
        EvaluationError: the model's answers or a metric's name have no meaning here.
    """
    predictions = predictions_of([decode(batch, yardstick.task, yardstick.loss) for batch in answers], sample_ids)
    return Measured(predictions, metrics_of(predictions, yardstick, user_metrics))


def metrics_of(predictions: Predictions, yardstick: Yardstick, user_metrics: Path) -> tuple[MetricValue, ...]:
    """The value of every metric that the yardstick names.

    A metric that cannot be computed, or is not finite, has the value None; the reason is printed.

    Raises:
        EvaluationError: a metric's name has no meaning here.
    """
    measures = {name: measure_for(name, yardstick.task, user_metrics) for name in yardstick.directions if name != LOSS}
    measures[LOSS] = lambda known: _loss(known, yardstick.task)
    return tuple(_value(name, up, measures[name], predictions) for name, up in yardstick.directions.items())


def _loss(predictions: Predictions, task: Task) -> float:
    if np.isnan(predictions.losses).all():
        raise EvaluationError("no sample has a loss; state loss() in 03_eval.py, and see that it is finite")
    return as_number(torch.tensor(mean_loss(predictions, task)))


def _value(name: str, higher_is_better: bool, measure: Measure, predictions: Predictions) -> MetricValue:
    value: float | None = None
    try:
        value = value_of(measure, predictions)
    except EvaluationError as error:
        print(f"warning: {name} is null: {error}")
    return MetricValue(name=name, value=value, higher_is_better=higher_is_better)
