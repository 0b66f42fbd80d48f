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
from numpy.typing import NDArray
from torch import Tensor
from torchmetrics import Metric

from progtrain.errors import EvaluationError, UnknownNameError, shortened
from progtrain.evaluation.scoring.averaging import over_classes
from progtrain.evaluation.scoring.names import read_name, user_functions
from progtrain.predictions import IGNORED, Predictions
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
#: Metrics of values that compare how they vary -> what must not be all the same; torchmetrics gives a number or NaN.
_VARYING: Final = {
    **dict.fromkeys(("pearsoncorrcoef", "spearmancorrcoef", "kendallrankcorrcoef"), ("answers", "targets")),
    **dict.fromkeys(("r2score", "explainedvariance", "relativesquarederror"), ("targets",)),
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
    own_kind = _OWN.get(task, {}).get(found.name.lower())
    if own_kind is not None and read.label is None and read.average in (None, "macro"):
        return own_kind
    if task == "transcription":
        return lambda predictions: _text_metric(found, predictions)

    varying = _VARYING.get(found.name.lower(), ()) if has_values(task) else ()

    def measure(predictions: Predictions) -> float:
        constant = [part for part in varying if _is_constant(getattr(predictions, part))]
        if constant:
            raise EvaluationError(f"it is not defined where all {' and all '.join(constant)} are the same")
        metric = _build(found, name, task, predictions)
        needs_scores = isinstance(metric, _NEEDS_SCORES)
        if needs_scores and np.isnan(predictions.outputs).any():
            raise EvaluationError("it needs a score for every class, which the answers do not have")
        judged = torch.from_numpy(predictions.outputs if needs_scores else predictions.answers)
        if needs_scores and isinstance(metric, torchmetrics.classification.MulticlassPrecisionRecallCurve):
            judged = _two_columns(judged, predictions)
        result = metric(judged, torch.from_numpy(predictions.targets))
        if result.numel() > 1 and not has_values(task):
            return over_classes(read_name(name), result.double().numpy(), predictions, task)
        return as_number(result)

    return measure


def value_of(measure: Measure, predictions: Predictions) -> float:
    """A finite metric value.

    Raises:
        EvaluationError: it cannot be computed from these predictions, or is not finite; the message is the reason.
    """
    try:
        with warnings.catch_warnings():
            # Of memory, of classes without samples, of numbers that are all the same: `over_classes` and the reasons
            # below say what comes of it.
            warnings.simplefilter("ignore", UserWarning)
            value = measure(predictions)
    except EvaluationError:
        raise
    except Exception as error:  # any metric, the user's included, may fail in its own way
        raise EvaluationError(shortened(f"{type(error).__name__}: {error}")) from error
    if not math.isfinite(value):
        constant = [part for part in ("answers", "targets") if _is_constant(getattr(predictions, part))]
        reason = f", for all {' and all '.join(constant)} are the same" if constant else ""
        raise EvaluationError(f"it is {value}{reason}")
    return value


def _is_constant(values: NDArray[np.generic]) -> bool:
    return bool((values == values.flat[0]).all()) if values.size else False


def _catalogue(task: Task) -> dict[str, Found]:
    own = {name: Found(name, up) for name, up in _OWN_DIRECTIONS.items() if name in _OWN.get(task, {})}
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


def _build(found: Found, name: str, task: Task, predictions: Predictions) -> Metric:
    if has_values(task):
        kind = getattr(torchmetrics.regression, found.name)
        return _made(kind, {"squared": False} if read_name(name).base == _RMSE else {})
    read = read_name(name)
    average = read.average or ("micro" if found.name == "Accuracy" else "macro")
    wanted: dict[str, Any] = {
        "average": average,
        "ignore_index": IGNORED if (predictions.targets == IGNORED).any() else None,
        "input_format": "index",
    }
    if task == "multilabel-classification":
        kind = getattr(torchmetrics.classification, f"Multilabel{found.name}")
        wanted["num_labels"] = predictions.outputs.shape[1]
    elif _by_one_score(predictions) and read.label is None and read.average is None:
        kind = getattr(torchmetrics.classification, f"Binary{found.name}", None) or _of_segments(found.name)
        wanted["num_classes"] = 2
    else:
        kind = getattr(torchmetrics.classification, f"Multiclass{found.name}", None) or _of_segments(found.name)
        wanted["num_classes"] = 2 if _by_one_score(predictions) else predictions.outputs.shape[1]
    if read.label is not None or (average != "micro" and kind.__module__.startswith("torchmetrics.classification")):
        wanted["average"] = "none"  # torchmetrics' averages treat classes that a set lacks each in its own way
    accepted = inspect.signature(kind).parameters
    return _made(kind, {key: value for key, value in wanted.items() if key in accepted})


def _by_one_score(predictions: Predictions) -> bool:
    """Whether a target has one score, that of the second of two classes."""
    return predictions.outputs.ndim == predictions.targets.ndim


def _two_columns(scores: Tensor, predictions: Predictions) -> Tensor:
    """`[N, 2, ...]` a probability for either class, where there is one score for the second."""
    if not _by_one_score(predictions):
        return scores
    second = scores if bool(((scores >= 0) & (scores <= 1)).all()) else scores.sigmoid()
    return torch.stack([1 - second, second], dim=1)


def _of_segments(name: str) -> type[Metric]:
    kind: type[Metric] = getattr(torchmetrics.segmentation, name)
    return kind


def _text_metric(found: Found, predictions: Predictions) -> float:
    metric = _made(getattr(torchmetrics.text, found.name), {})
    answers, targets = predictions.answers.tolist(), predictions.targets.tolist()
    return as_number(metric(answers, [[text] for text in targets] if found.name in _SEVERAL_REFERENCES else targets))


def _perplexity(predictions: Predictions) -> float:
    """Exp of the mean negative log-likelihood of a token; `outputs` hold the targets' log-probabilities."""
    return float(np.exp(-predictions.outputs[predictions.targets != IGNORED].astype(np.float64).mean()))


def _token_accuracy(predictions: Predictions) -> float:
    known = predictions.targets != IGNORED
    return float((predictions.answers[known] == predictions.targets[known]).mean())


def _dice(predictions: Predictions) -> float:
    """The mean over samples of the mean Dice over the classes that occur in a sample, in its targets or answers."""
    known = predictions.targets != IGNORED
    samples = zip(predictions.targets, predictions.answers, known, strict=True)
    return float(np.mean([_dice_of(targets[mask], answers[mask]) for targets, answers, mask in samples]))


def _dice_of(targets: NDArray[Any], answers: NDArray[Any]) -> float:
    classes = np.union1d(targets, answers)
    if not len(classes):
        return math.nan
    hits = [2 * ((targets == each) & (answers == each)).sum() for each in classes]
    sizes = [(targets == each).sum() + (answers == each).sum() for each in classes]
    return float(np.mean(np.divide(hits, sizes)))


#: What torchmetrics has in no form that fits: pixels that do not count, whole texts, tokens without their scores.
_OWN: Final[dict[Task, dict[str, Measure]]] = {
    "segmentation": {"dicescore": _dice},
    "transcription": {"exactmatch": lambda predictions: float((predictions.answers == predictions.targets).mean())},
    "language-modelling": {"perplexity": _perplexity, "accuracy": _token_accuracy},
}
_OWN_DIRECTIONS: Final = {"exactmatch": True, "perplexity": False, "accuracy": True}


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
