"""What 03_eval.py states of how versions are measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn

from progtrain.evaluation.yardstick.batches import Split, by_convention
from progtrain.tasks import Task

#: (model, inputs of a batch) -> what is served.
Predict = Callable[[nn.Module, Any], Any]
#: (model, inputs of a batch) -> its raw outputs.
Outputs = Callable[[nn.Module, Any], Tensor]
#: (raw outputs, targets) -> scalar, the mean over the samples given.
Loss = Callable[[Tensor, Any], Tensor]


@dataclass(frozen=True)
class Yardstick:
    """What 03_eval.py states.

    Args:
        task: what the targets are.
        directions: metric -> whether higher is better.
        predict: (model, inputs of a batch) -> what is served.
        loss: (raw outputs, targets) -> scalar, the mean over the samples given.
        split: how a batch comes apart, as `validation_step` gets it.
        outputs: (model, inputs of a batch) -> what the loss and the metrics see; None where `forward` gives it.
        logged: metric -> the name under which the scripts log it of the validation set themselves.
    """

    task: Task
    directions: Mapping[str, bool]
    predict: Predict
    loss: Loss
    split: Split = by_convention
    outputs: Outputs | None = None
    logged: Mapping[str, str] = field(default_factory=dict)
