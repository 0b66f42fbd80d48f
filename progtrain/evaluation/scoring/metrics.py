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
from types import ModuleType
from typing import Any, Final

import numpy as np
import torch
import torchmetrics.classification
import torchmetrics.regression
import torchmetrics.segmentation
import torchmetrics.text
from torch import Tensor
from torchmetrics import Metric

from progtrain.errors import EvaluationError, UnknownNameError, shortened
from progtrain.evaluation.scoring.averaging import completed, has_one_score, over_classes, why_undefined
from progtrain.evaluation.scoring.names import MetricName, read_name, user_functions
from progtrain.evaluation.scoring.statistic import statistic_for
from progtrain.evaluation.scoring.sums import of_all
from progtrain.predictions import IGNORED, Predictions, counted
from progtrain.tasks import Task, has_classes, has_values

_RMSE: Final = "rootmeansquarederror"
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
#: What torchmetrics has in no form that fits: whole texts, tokens without their scores. Whether higher is better.
_OWN: Final[dict[Task, dict[str, bool]]] = {
    "transcription": {"exactmatch": True},
    "language-modelling": {"perplexity": False, "accuracy": True},
}
#: torchmetrics' classes of these names take several references for every answer.
_SEVERAL_REFERENCES: Final = ("BLEUScore", "SacreBLEUScore", "CHRFScore", "TranslationEditRate")

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
        UnknownNameError: there is none; the message offers the closest.
    """
    base = "meansquarederror" if (read := read_name(name).base) == _RMSE else read
    catalogue = _catalogue(task)
    if base not in catalogue:
        close = [catalogue[match].name for match in difflib.get_close_matches(base, list(catalogue))]
        raise UnknownNameError(
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
    read = read_name(name)

    def measure(predictions: Predictions) -> float:
        if not counted(predictions).any():
            raise EvaluationError("no validation sample has a target that counts")
        statistic = statistic_for(name, task, predictions)
        if statistic is not None:
            value = of_all(statistic, predictions)
        elif task == "transcription":
            value = _of_texts(found, predictions)
        elif has_values(task):
            value = _of_values(found, predictions)
        else:
            value = _of_classes(found, read, task, predictions)
        reason = "" if math.isfinite(value) else why_undefined(completed(read, task, predictions), task, predictions)
        if reason:
            raise EvaluationError(reason)
        return value

    return measure


def value_of(measure: Measure, predictions: Predictions) -> float:
    """A finite metric value.

    Raises:
        EvaluationError: it cannot be computed from these predictions, or is not finite; the message is the reason.
    """
    try:
        with warnings.catch_warnings():
            # Of memory, of classes without samples, of numbers that are all the same or too large: reasons say it.
            warnings.simplefilter("ignore", UserWarning)
            warnings.simplefilter("ignore", RuntimeWarning)
            value = measure(predictions)
    except EvaluationError:
        raise
    except Exception as error:  # any metric, the user's included, may fail in its own way
        raise EvaluationError(shortened(f"{type(error).__name__}: {error}")) from error
    if not math.isfinite(value):
        raise EvaluationError(f"it is {value}")
    return value


def _catalogue(task: Task) -> dict[str, Found]:
    own = {name: Found(name, up) for name, up in _OWN.get(task, {}).items()}
    if task == "language-modelling":
        return own
    if has_values(task):
        named = _metrics_of(torchmetrics.regression)
    elif task == "transcription":
        named = _metrics_of(torchmetrics.text)
    else:
        prefix = "Multiclass" if has_classes(task) else "Multilabel"
        named = {
            name.removeprefix(prefix): kind
            for name, kind in _metrics_of(torchmetrics.classification).items()
            if name.startswith(prefix)
        }
        if task == "segmentation":
            named |= _metrics_of(torchmetrics.segmentation)
    return {name.lower(): Found(name, kind.higher_is_better) for name, kind in named.items()} | own


def _metrics_of(module: ModuleType) -> dict[str, type[Metric]]:
    classes = vars(module).items()
    return {name: kind for name, kind in classes if inspect.isclass(kind) and issubclass(kind, Metric)}


# --- what follows from no sums over samples -----------------------------------------------------


def _of_values(found: Found, predictions: Predictions) -> float:
    """The mean over the numbers of a target; those that are the same in all samples tell no correlation."""
    count = len(predictions.targets)
    answers, targets = (
        part.astype(np.float64).reshape(count, -1) for part in (predictions.answers, predictions.targets)
    )
    if found.name.lower() in _VARYING:
        varying = (targets != targets[:1]).any(axis=0)
        answers, targets = answers[:, varying], targets[:, varying]
        if not targets.size or (answers == answers[:1]).all(axis=0).any():
            return math.nan
    kind = getattr(torchmetrics.regression, found.name)
    columns = targets.shape[1]
    metric = _made(kind, {"num_outputs": columns} if "num_outputs" in inspect.signature(kind).parameters else {})
    metric.set_dtype(torch.float64)
    if columns == 1:
        answers, targets = answers[:, 0], targets[:, 0]
    return as_number(metric(torch.from_numpy(answers), torch.from_numpy(targets)).double().mean())


def _of_classes(found: Found, read: MetricName, task: Task, predictions: Predictions) -> float:
    metric, read = _classifier_metric(found, read, task, predictions)
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


def _classifier_metric(
    found: Found, read: MetricName, task: Task, predictions: Predictions
) -> tuple[Metric, MetricName]:
    """The metric, of every class alone where it can be, and what is to be made of that."""
    has_labels = task == "multilabel-classification"
    one_score = not has_labels and has_one_score(predictions)
    kind = _kind("Multilabel" if has_labels else "Multiclass", found.name)
    averages = "average" in inspect.signature(kind).parameters
    if not averages and (read.label is not None or read.average is not None):
        raise EvaluationError("it is one number for all classes: its name takes no class and no average")
    if one_score and not averages:
        kind = _kind("Binary", found.name)
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


def _of_texts(found: Found, predictions: Predictions) -> float:
    metric = _made(getattr(torchmetrics.text, found.name), {})
    answers, targets = predictions.answers.tolist(), predictions.targets.tolist()
    return as_number(metric(answers, [[text] for text in targets] if found.name in _SEVERAL_REFERENCES else targets))


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
        reason = shortened(f"{type(error).__name__}: {error}")
        raise EvaluationError(f"{path} cannot be run: {reason}. Mend it.") from error
    return function
