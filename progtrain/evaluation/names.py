"""What tasks and metrics are called, and which direction of a metric is better, without importing torch."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, get_args

from progtrain.errors import EvaluationError

Task = Literal["classification", "regression"]
Average = Literal["micro", "macro", "weighted"]

LOSS: Final = "loss"

_ALIASES: Final[dict[str, str]] = {
    "acc": "accuracy",
    "f1": "f1score",
    "auc": "auroc",
    "rocauc": "auroc",
    "aucroc": "auroc",
    "ap": "averageprecision",
    "mcc": "matthewscorrcoef",
    "kappa": "cohenkappa",
    "iou": "jaccardindex",
    "ece": "calibrationerror",
    "mae": "meanabsoluteerror",
    "mse": "meansquarederror",
    "rmse": "rootmeansquarederror",
    "mape": "meanabsolutepercentageerror",
    "smape": "symmetricmeanabsolutepercentageerror",
    "r2": "r2score",
    "pearson": "pearsoncorrcoef",
    "spearman": "spearmancorrcoef",
}

#: Stated here so that the loop need not import torch for them; a test holds them against torchmetrics.
_HIGHER_IS_BETTER: Final[dict[Task, dict[str, bool]]] = {
    "classification": {
        "accuracy": True,
        "f1score": True,
        "precision": True,
        "recall": True,
        "auroc": True,
        "averageprecision": True,
        "matthewscorrcoef": True,
        "cohenkappa": True,
        "jaccardindex": True,
        "calibrationerror": False,
    },
    "regression": {
        "meanabsoluteerror": False,
        "meansquarederror": False,
        "rootmeansquarederror": False,
        "meanabsolutepercentageerror": False,
        "symmetricmeanabsolutepercentageerror": False,
        "r2score": True,
        "explainedvariance": True,
        "spearmancorrcoef": True,
    },
}


@dataclass(frozen=True)
class MetricName:
    """A metric's name, read.

    Args:
        base: torchmetrics' class name in lower case without the task: `f1score`.
        average: over classes; None where the name does not say (`accuracy` is then micro, the others macro).
    """

    base: str
    average: Average | None


def read_name(name: str) -> MetricName:
    """Read a metric's name whatever its case and separators: `f1_macro`, `F1Score`, `mean_squared_error`."""
    words = [word for word in re.split(r"[^a-z0-9]+", name.lower()) if word]
    average: Average | None = next((known for known in get_args(Average) if known in words), None)
    if "balanced" in words:
        average = "macro"
    base = "".join(word for word in words if word not in (average, "balanced"))
    return MetricName(_ALIASES.get(base, base), average)


def user_functions(path: Path) -> frozenset[str]:
    """The names of the metrics that a metrics.py defines at its top level; none where there is no such file.

    Raises:
        EvaluationError: it does not parse.
    """
    if not path.is_file():
        return frozenset()
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (SyntaxError, UnicodeDecodeError) as error:
        raise EvaluationError(f"{path} does not parse: {error}. Mend it.") from error
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


def task_of(task_type: str) -> Task:
    """The task that a data set's `task_type` means: `image_classification` is a classification.

    Raises:
        EvaluationError: it is neither a classification with one class a sample nor a regression.
    """
    said = task_type.lower().replace("-", "_")
    if "classif" in said and "multilabel" not in said.replace("_", ""):
        return "classification"
    if "regress" in said:
        return "regression"
    raise EvaluationError(
        f"Expected a task_type of classification (one class a sample) or regression, got {task_type!r}. "
        "Set task_type in stats.json to what the targets are."
    )


def direction(name: str, task: Task) -> bool:
    """Whether higher is better, as torchmetrics has it.

    Raises:
        EvaluationError: no metric of that task goes by this name, or torchmetrics gives it no direction.
    """
    if name == LOSS:
        return False
    known = _HIGHER_IS_BETTER[task].get(read_name(name).base)
    if known is not None:
        return known
    # torch and torchmetrics take seconds to import: only for a metric that the table does not have.
    from progtrain.evaluation.metrics import find

    higher_is_better = find(name, task).higher_is_better
    if higher_is_better is None:
        raise EvaluationError(
            f"torchmetrics does not say which direction of {name!r} is better. "
            f'Write {{"name": "{name}", "higher_is_better": true or false}} in eval_config.metrics.'
        )
    return higher_is_better
