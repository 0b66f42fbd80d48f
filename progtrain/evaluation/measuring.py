"""From a trained model and a validation set to predictions, metric values and latency."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from progtrain.errors import EvaluationError
from progtrain.evaluation.batches import ValidationSet
from progtrain.evaluation.inference import Loss, Predict, answer_all, answers_of, fitted, latency_ms
from progtrain.evaluation.metrics import Measure, as_number, measure_for, value_of
from progtrain.evaluation.names import LOSS, Task
from progtrain.predictions import Predictions
from progtrain.records import MetricValue


@dataclass(frozen=True)
class Yardstick:
    """What 03_eval.py states.

    Args:
        task: what the targets are.
        directions: metric -> whether higher is better.
        predict: (model, inputs of a batch) -> what is served.
        loss: (raw outputs, targets) -> scalar, the mean over the samples given.
    """

    task: Task
    directions: Mapping[str, bool]
    predict: Predict
    loss: Loss


@dataclass(frozen=True)
class Measured:
    """What one pass over the validation set gave."""

    predictions: Predictions
    metrics: tuple[MetricValue, ...]
    latency_ms: float


def measure(
    model: nn.Module,
    data: ValidationSet,
    sample_ids: Sequence[str] | None,
    yardstick: Yardstick,
    user_metrics: Path,
    device: torch.device,
) -> Measured:
    """Answer every validation sample and compute every metric.

    A metric that cannot be computed, or is not finite, has the value None; the reason is printed.

    Args:
        model: with its trained weights, in evaluation mode, on `device`.
        data: the validation set.
        sample_ids: one a sample, in order; positions where None.
        yardstick: the task, the metrics, and how to answer and to take the loss.
        user_metrics: the workspace's metrics.py.
        device: where the model is.

    Raises:
        EvaluationError: the model's answers or a metric's name have no meaning here.
    """
    measures = {name: measure_for(name, yardstick.task, user_metrics) for name in yardstick.directions if name != LOSS}
    answers = answer_all(model, data, yardstick.predict, device)
    outputs, targets = fitted(answers.outputs, answers.targets, yardstick.task)
    served = answers_of(answers.served, targets, yardstick.task)
    if sample_ids is not None and len(sample_ids) != len(targets):
        raise EvaluationError(
            f"Expected one line a validation sample in the data set's listing, got {len(sample_ids)} lines for "
            f"{len(targets)} samples. Correct the listing, or remove it."
        )
    whole_loss, losses = _losses(yardstick, outputs, targets)
    predictions = Predictions(
        sample_ids=np.array(sample_ids or [str(index) for index in range(len(targets))]),
        targets=targets.numpy(),
        outputs=outputs.numpy(),
        answers=served.numpy(),
        losses=losses.numpy(),
    )
    measures[LOSS] = lambda _: whole_loss
    metrics = tuple(_value(name, up, measures[name], predictions) for name, up in yardstick.directions.items())
    first = data.rows([0])[0]
    return Measured(predictions, metrics, latency_ms(model, first, yardstick.predict, device))


def _losses(yardstick: Yardstick, outputs: Tensor, targets: Tensor) -> tuple[float, Tensor]:
    """The loss over all samples, and of each `[N]`; NaN where 03_eval.py leaves it open and no metric needs it."""
    try:
        each = [yardstick.loss(outputs[i : i + 1], targets[i : i + 1]) for i in range(len(targets))]
        return as_number(yardstick.loss(outputs, targets)), torch.stack(each)
    except NotImplementedError as error:
        if LOSS in yardstick.directions:
            raise EvaluationError(f"The metric 'loss' cannot be computed: {error}.") from error
    return math.nan, torch.full((len(targets),), math.nan)


def _value(name: str, higher_is_better: bool, measure: Measure, predictions: Predictions) -> MetricValue:
    value: float | None = None
    try:
        value = value_of(measure, predictions)
    except EvaluationError as error:
        print(f"warning: {name} is null: {error}")
    return MetricValue(name=name, value=value, higher_is_better=higher_is_better)
