"""Metrics by their torchmetrics names, and the user's own from metrics.py."""

from __future__ import annotations

import difflib
import inspect
import math
import runpy
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
import torchmetrics.classification
import torchmetrics.regression
from torch import Tensor
from torchmetrics import Metric

from progtrain.errors import EvaluationError
from progtrain.evaluation.names import Task, read_name, user_functions
from progtrain.predictions import Predictions

_RMSE: Final = "rootmeansquarederror"
#: These rank or weigh scores; every other classification metric judges the classes that were answered.
_NEEDS_SCORES: Final = (
    torchmetrics.classification.MulticlassPrecisionRecallCurve,
    torchmetrics.classification.BinaryPrecisionRecallCurve,
    torchmetrics.classification.MulticlassCalibrationError,
    torchmetrics.classification.BinaryCalibrationError,
    torchmetrics.classification.MulticlassHingeLoss,
    torchmetrics.classification.BinaryHingeLoss,
)

Measure = Callable[[Predictions], float]


@dataclass(frozen=True)
class Found:
    """A metric of torchmetrics that a name means.

    Args:
        name: the class without its task, as torchmetrics spells it: `F1Score`.
        higher_is_better: None where torchmetrics does not say.
    """

    name: str
    higher_is_better: bool | None


def find(name: str, task: Task) -> Found:
    """The metric of torchmetrics that goes by `name` for a task.

    Raises:
        EvaluationError: there is none; the message offers the closest.
    """
    base = "meansquarederror" if (read := read_name(name).base) == _RMSE else read
    catalogue = _catalogue(task)
    if base not in catalogue:
        close = [catalogue[match].name for match in difflib.get_close_matches(base, list(catalogue))]
        raise EvaluationError(
            f"No metric of torchmetrics for {task} is called {name!r}; the closest are {close or 'none'}. "
            f"Correct the name, or define a function {name}(predictions, targets) in metrics.py "
            f'and write {{"name": "{name}", "higher_is_better": true or false}} in eval_config.metrics.'
        )
    return catalogue[base]


def measure_for(name: str, task: Task, user_metrics: Path) -> Measure:
    """How to compute a metric from predictions: a function of metrics.py goes before torchmetrics.

    Args:
        name: as in METRICS of 03_eval.py; the loss is not among them.
        task: what the targets are.
        user_metrics: the workspace's metrics.py, which need not exist.

    Raises:
        EvaluationError: nothing goes by that name, or metrics.py cannot be imported.
    """
    if name in user_functions(user_metrics):
        own = _user_function(name, user_metrics)
        return lambda predictions: float(own(predictions.answers, predictions.targets))
    found = find(name, task)

    def measure(predictions: Predictions) -> float:
        metric = _build(found, name, task, predictions)
        targets = torch.from_numpy(predictions.targets)
        if isinstance(metric, _NEEDS_SCORES):
            return as_number(metric(torch.from_numpy(predictions.outputs), targets))
        return as_number(metric(torch.from_numpy(predictions.answers), targets))

    return measure


def value_of(measure: Measure, predictions: Predictions) -> float:
    """A finite metric value.

    Raises:
        EvaluationError: it cannot be computed from these predictions, or is not finite; the message is the reason.
    """
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Metric .* will save all targets and predictions")
            value = measure(predictions)
    except EvaluationError:
        raise
    except Exception as error:  # any metric, the user's included, may fail in its own way
        raise EvaluationError(f"{type(error).__name__}: {error}") from error
    if not math.isfinite(value):
        raise EvaluationError(f"it is {value}")
    return value


def _catalogue(task: Task) -> dict[str, Found]:
    if task == "regression":
        classes = vars(torchmetrics.regression).items()
        named = [(name, kind) for name, kind in classes if inspect.isclass(kind) and issubclass(kind, Metric)]
    else:
        classes = vars(torchmetrics.classification).items()
        named = [(name.removeprefix("Multiclass"), kind) for name, kind in classes if name.startswith("Multiclass")]
    return {name.lower(): Found(name, kind.higher_is_better) for name, kind in named}


def _build(found: Found, name: str, task: Task, predictions: Predictions) -> Metric:
    if task == "regression":
        kind = getattr(torchmetrics.regression, found.name)
        return _made(kind, {"squared": False} if read_name(name).base == _RMSE else {})
    binary = predictions.outputs.ndim == predictions.targets.ndim
    kind = getattr(torchmetrics.classification, f"{'Binary' if binary else 'Multiclass'}{found.name}")
    if binary:
        return _made(kind, {})
    accepted = inspect.signature(kind).parameters
    wanted = {
        "num_classes": predictions.outputs.shape[1],
        "average": read_name(name).average or ("micro" if found.name == "Accuracy" else "macro"),
    }
    return _made(kind, {key: value for key, value in wanted.items() if key in accepted})


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


def _user_function(name: str, path: Path) -> Callable[..., Any]:
    try:
        function: Callable[..., Any] = runpy.run_path(str(path))[name]
    except Exception as error:  # the user's code may fail in any way
        raise EvaluationError(f"{path} cannot be run: {type(error).__name__}: {error}. Mend it.") from error
    return function
