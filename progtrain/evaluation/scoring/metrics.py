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

import torchmetrics.classification
import torchmetrics.regression
import torchmetrics.segmentation
import torchmetrics.text
from torchmetrics import Metric

from progtrain.errors import EvaluationError, UnknownNameError, shortened
from progtrain.evaluation.scoring.averaging import completed, why_undefined
from progtrain.evaluation.scoring.by_torchmetrics import of_classes, of_texts, of_values
from progtrain.evaluation.scoring.names import read_name, user_functions
from progtrain.evaluation.scoring.statistic import statistic_for
from progtrain.evaluation.scoring.sums import of_all
from progtrain.predictions import Predictions, counted
from progtrain.tasks import Task, has_classes, has_values

_RMSE: Final = "rootmeansquarederror"
#: What torchmetrics has in no form that fits: whole texts, tokens without their scores. Whether higher is better.
_OWN: Final[dict[Task, dict[str, bool]]] = {
    "transcription": {"exactmatch": True},
    "language-modelling": {"perplexity": False, "accuracy": True},
}

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
            value = of_texts(found.name, predictions)
        elif has_values(task):
            value = of_values(found.name, predictions)
        else:
            value = of_classes(found.name, read, task, predictions)
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


def _user_function(name: str, path: Path) -> Callable[..., Any]:
    try:
        function: Callable[..., Any] = runpy.run_path(str(path))[name]
    except Exception as error:  # the user's code may fail in any way
        reason = shortened(f"{type(error).__name__}: {error}")
        raise EvaluationError(f"{path} cannot be run: {reason}. Mend it.") from error
    return function
