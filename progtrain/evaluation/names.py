"""What tasks and metrics are called, and which direction of a metric is better, without importing torch."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, get_args

from progtrain.errors import EvaluationError
from progtrain.tasks import Task

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
    "miou": "jaccardindex",
    "dice": "dicescore",
    "ece": "calibrationerror",
    "mae": "meanabsoluteerror",
    "mse": "meansquarederror",
    "rmse": "rootmeansquarederror",
    "mape": "meanabsolutepercentageerror",
    "smape": "symmetricmeanabsolutepercentageerror",
    "r2": "r2score",
    "pearson": "pearsoncorrcoef",
    "spearman": "spearmancorrcoef",
    "wer": "worderrorrate",
    "cer": "charerrorrate",
    "mer": "matcherrorrate",
    "bleu": "bleuscore",
    "chrf": "chrfscore",
    "ppl": "perplexity",
}

# Directions are stated here so that the loop need not import torch for them; a test holds them against torchmetrics.
_OF_CLASSES: Final = {
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
}
_OF_LABELS: Final = {
    **{name: up for name, up in _OF_CLASSES.items() if name not in ("cohenkappa", "calibrationerror")},
    "exactmatch": True,
    "hammingdistance": False,
}
_OF_VALUES: Final = {
    "meanabsoluteerror": False,
    "meansquarederror": False,
    "rootmeansquarederror": False,
    "meanabsolutepercentageerror": False,
    "symmetricmeanabsolutepercentageerror": False,
    "r2score": True,
    "explainedvariance": True,
    "spearmancorrcoef": True,
}
_OF_TEXTS: Final = {
    "worderrorrate": False,
    "charerrorrate": False,
    "exactmatch": True,
    "bleuscore": True,
    "chrfscore": True,
}
_HIGHER_IS_BETTER: Final[dict[Task, dict[str, bool]]] = {
    "classification": _OF_CLASSES,
    "token-classification": _OF_CLASSES,
    "segmentation": {**_OF_CLASSES, "dicescore": True},
    "multilabel-classification": _OF_LABELS,
    "regression": _OF_VALUES,
    "forecasting": _OF_VALUES,
    "transcription": _OF_TEXTS,
    "language-modelling": {"perplexity": False, "accuracy": True},
}

#: What is measured where the rules ask for no metrics.
DEFAULT_METRICS: Final[dict[Task, tuple[str, ...]]] = {
    "classification": ("accuracy", "f1_macro"),
    "token-classification": ("f1_macro", "accuracy"),
    "segmentation": ("iou", "dice"),
    "multilabel-classification": ("f1_macro", "auroc"),
    "regression": ("mae", "rmse", "r2"),
    "forecasting": ("mae", "rmse", "smape"),
    "transcription": ("cer", "wer", "exact_match"),
    "language-modelling": ("perplexity", "accuracy"),
}


@dataclass(frozen=True)
class MetricName:
    """A metric's name, read.

    Args:
        base: torchmetrics' class name in lower case without the task: `f1score`.
        average: over classes; None where the name does not say (`accuracy` is then micro, the others macro).
        label: the one class that the name asks for; None where it asks for all.
    """

    base: str
    average: Average | None
    label: int | None = None


def read_name(name: str) -> MetricName:
    """Read a metric's name whatever its case and separators: `f1_macro`, `F1Score`, `f1_class_3`."""
    words = [word for word in re.split(r"[^a-z0-9]+", name.lower()) if word]
    label: int | None = None
    if len(words) > 2 and words[-2] == "class" and words[-1].isdigit():
        label = int(words[-1])
        words = words[:-2]
    average: Average | None = next((known for known in get_args(Average) if known in words), None)
    if "balanced" in words:
        average = "macro"
    base = "".join(word for word in words if word not in (average, "balanced"))
    return MetricName(_ALIASES.get(base, base), average, label)


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
