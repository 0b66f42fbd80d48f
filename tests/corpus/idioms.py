"""Idioms, and what becomes of each: add a row here, then `python scripts/coverage_table.py SCRIPT` writes the page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from tests.corpus.trials import ROOT, Outcome, Trial

PATH: Final = ROOT / "docs" / "idioms.md"

PAGE: Final = """\
# Idioms

What an action makes of a habit of writing. The table is `tests/corpus/idioms.py`; the outcome is that of a real trial
of the script, and a test fails where it is another. `python scripts/coverage_table.py` writes this page.

*changed*: the action's child was made and trained, and differs in what was declared alone. *refused*: with these words,
numbers as this script has them. The scripts are in `tests/corpus/scripts/`.

| idiom | script | action | outcome | words of a refusal |
|---|---|---|---|---|
{rows}
"""


@dataclass(frozen=True)
class Idiom:
    """One action on one habit of writing.

    Args:
        name: the habit, in a few words.
        script: of the corpus, that has it.
        action: of the catalogue.
        outcome: what must become of the action.
    """

    name: str
    script: str
    action: str
    outcome: Outcome


def _each(name: str, script: str, changed: str = "", refused: str = "") -> Iterable[Idiom]:
    yield from (Idiom(name, script, action, "applied") for action in changed.split())
    yield from (Idiom(name, script, action, "refused") for action in refused.split())


IDIOMS: Final = (
    *_each("keywords handed on to the module", "kwargs_handed_on", changed="raise_learning_rate widen raise_dropout"),
    *_each(
        "the optimizer's class is an argument",
        "optimizer_class_argument",
        changed="raise_learning_rate adam_betas",
        refused="cosine_schedule",
    ),
    *_each(
        "the optimizer by its name in torch.optim",
        "optimizer_by_name",
        changed="raise_learning_rate",
        refused="momentum cosine_schedule",
    ),
    *_each("optimizer and schedule from tables", "optimizer_table", changed="raise_learning_rate raise_weight_decay"),
    *_each("the optimizer is a partial", "optimizer_partial", refused="raise_learning_rate adam_betas"),
    *_each("the loss is an argument", "loss_argument", changed="label_smoothing focal_loss class_weights"),
    *_each("the loss by its name", "loss_by_name", changed="huber_loss absolute_loss"),
    *_each("one step for all stages", "shared_step_stages", changed="label_smoothing focal_loss", refused="mixup"),
    *_each(
        "log_softmax in forward, nll_loss in the step",
        "log_softmax_nll",
        changed="mixup",
        refused="crop_augmentation class_weights",
    ),
    *_each(
        "a value that depends on a condition",
        "conditional_values",
        changed="smaller_batch more_epochs",
        refused="raise_learning_rate",
    ),
    *_each("no rate written", "default_rate", changed="tune_knob raise_learning_rate"),
    *_each("nn.Flatten is the first layer", "flatten_first", refused="convolutional_stem cutout"),
    *_each(
        "arguments that must be given",
        "required_argument",
        changed="raise_learning_rate more_epochs",
        refused="smaller_batch",
    ),
    *_each("milestones after the end", "dead_milestones", refused="cosine_schedule swa"),
    *_each("warm-up in optimizer_step", "warmup_in_optimizer_step", refused="warmup cosine_schedule one_cycle"),
    *_each("warm-up by LambdaLR", "warmup_lambda", refused="warmup"),
    *_each("two fits, the last one counts", "head_then_all", refused="more_epochs raise_learning_rate"),
    *_each("the model is made in the call of fit", "inline_fit", changed="raise_learning_rate more_epochs"),
    *_each("LightningCLI with a YAML file", "cli_yaml", refused="raise_learning_rate more_epochs"),
    *_each("LightningCLI in code", "cli_in_code", refused="raise_learning_rate widen"),
    *_each("no seed", "unseeded", changed="raise_learning_rate raise_dropout"),
    *_each("objects from _target_ paths", "hydra_targets", refused="raise_learning_rate more_epochs"),
    *_each("a merged config read by attribute", "attribute_config", refused="raise_learning_rate smaller_batch"),
    *_each("models from a registry", "model_registry", changed="raise_learning_rate", refused="raise_dropout"),
    *_each("settings from a JSON text", "json_settings", refused="raise_learning_rate"),
)


def page(trials: Iterable[Trial]) -> str:
    """The page, from trials of the idioms' scripts."""
    found = {(trial.script, trial.action): trial for trial in trials}
    return PAGE.format(rows="\n".join(_row(idiom, found[idiom.script, idiom.action]) for idiom in IDIOMS))


def _row(idiom: Idiom, trial: Trial) -> str:
    outcome = {"applied": "changed"}.get(trial.outcome, trial.outcome)
    words = trial.reason.replace("|", "\\|")
    return f"| {idiom.name} | `{idiom.script}` | `{idiom.action}` | {outcome} | {words} |"
