"""What metrics are called, without importing torch."""

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
    "wmape": "weightedmeanabsolutepercentageerror",
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

#: What begins with the name of an average, and is none.
_NO_AVERAGE: Final = frozenset({"weightedmeanabsolutepercentageerror"})

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
    if "".join(words) in _NO_AVERAGE:
        return MetricName("".join(words), None, label)
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
