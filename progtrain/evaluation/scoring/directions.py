"""Which direction of a metric is better, without importing torch for those that are usual."""

from __future__ import annotations

from typing import Final

from progtrain.errors import UnknownNameError
from progtrain.evaluation.scoring.names import LOSS, read_name
from progtrain.sections import EvalConfig, MetricRule
from progtrain.tasks import Task

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
HIGHER_IS_BETTER: Final[dict[Task, dict[str, bool]]] = {
    "classification": _OF_CLASSES,
    "token-classification": _OF_CLASSES,
    "segmentation": {**_OF_CLASSES, "dicescore": True},
    "multilabel-classification": _OF_LABELS,
    "regression": _OF_VALUES,
    "forecasting": _OF_VALUES,
    "transcription": _OF_TEXTS,
    "language-modelling": {"perplexity": False, "accuracy": True},
}


def direction(name: str, task: Task) -> bool:
    """Whether higher is better, as torchmetrics has it.

    Raises:
        UnknownNameError: no metric of that task goes by this name, or torchmetrics gives it no direction.
    """
    if name == LOSS:
        return False
    known = HIGHER_IS_BETTER[task].get(read_name(name).base)
    if known is not None:
        return known
    # torch and torchmetrics take seconds to import: only for a metric that the table does not have.
    from progtrain.evaluation.scoring.metrics import find

    higher_is_better = find(name, task).higher_is_better
    if higher_is_better is None:
        raise UnknownNameError(
            f"torchmetrics does not say which direction of {name!r} is better. "
            f'Write {{"name": "{name}", "higher_is_better": true or false}} in eval_config.metrics.'
        )
    return higher_is_better


def check_names(config: EvalConfig, task: Task) -> None:
    """See that every metric that the rules name is one.

    Raises:
        UnknownNameError: as in `direction`.
    """
    given = {rule.name for rule in config.metric_rules if rule.higher_is_better is not None}
    for rule in (MetricRule(name=config.primary), *config.metric_rules):
        if rule.name not in given:
            direction(rule.name, task)
