"""Writing 03_eval.py: the metrics, the inference and the baseline's loss, in a script that can be read in a minute."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from pydantic import JsonValue

from progtrain.evaluation.scoring.directions import direction
from progtrain.evaluation.scoring.names import DEFAULT_METRICS, LOSS
from progtrain.evaluation.yardstick.vocabulary import read_vocabulary
from progtrain.predictions import IGNORED
from progtrain.records import Call, Snapshot
from progtrain.rules import EvalConfig, MetricRule, Rules
from progtrain.tasks import Task, has_values, task_of

#: Loss functional -> its scalar arguments that are kept, with torch's defaults (which are not written out).
_LOSSES: Final[dict[str, dict[str, JsonValue]]] = {
    "cross_entropy": {"ignore_index": -100, "label_smoothing": 0.0},
    "nll_loss": {"ignore_index": -100},
    "binary_cross_entropy": {},
    "binary_cross_entropy_with_logits": {},
    "multi_margin_loss": {"p": 1, "margin": 1.0},
    "mse_loss": {},
    "l1_loss": {},
    "smooth_l1_loss": {"beta": 1.0},
    "huber_loss": {"delta": 1.0},
    "poisson_nll_loss": {"log_input": True, "full": False, "eps": 1e-8},
    "ctc_loss": {"blank": 0, "zero_infinity": False},
}
_BINARY: Final = {"binary_cross_entropy": "0.5", "binary_cross_entropy_with_logits": "0"}


@dataclass(frozen=True)
class _Loss:
    """`loss()` as it is written: its docstring, its body, and whether the body calls a known functional."""

    summary: str
    body: str
    calls: bool


@dataclass(frozen=True)
class _Symbols:
    """How the symbols of a transcription are written: VOCABULARY's value, and the arguments that name the blank."""

    vocabulary: str
    blank: str


def render_eval_script(rules: Rules, prepdata: Path, task_type: str, snapshot: Snapshot) -> str:
    """The text of 03_eval.py for a workspace.

    Args:
        rules: which metrics are asked for, and their directions where the user states them.
        prepdata: folder of the prepared data, `dataset/prepdata/{dataset_id}` of a workspace.
        task_type: as in stats.json.
        snapshot: the baseline's; its first training step shows the loss.

    Raises:
        EvaluationError: the task or a metric is not known.
    """
    task = task_of(task_type)
    losses = [call for call in snapshot.calls if _function(call) in _LOSSES]
    loss = _written_loss(task, losses)
    symbols = _written_symbols(prepdata, losses) if task == "transcription" else None
    environment = Environment(
        loader=PackageLoader("progtrain.evaluation.writing"),
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    return environment.get_template("03_eval.py.j2").render(
        task=task,
        directions=_directions(rules.eval_config, task, has_loss=loss.calls),
        split=_written_split(task, losses, symbols),
        answer=_written_answer(task, losses, symbols),
        symbols=symbols,
        loss=loss,
        helpers=_helpers(task, losses),
    )


def _directions(config: EvalConfig, task: Task, has_loss: bool) -> dict[str, bool]:
    asked = {rule.name: rule for rule in (MetricRule(name=config.primary), *config.metric_rules)}
    if config.with_defaults:
        asked = {name: MetricRule(name=name) for name in DEFAULT_METRICS[task]} | asked
    if has_loss:
        asked.setdefault(LOSS, MetricRule(name=LOSS))
    return {
        name: direction(name, task) if rule.higher_is_better is None else rule.higher_is_better
        for name, rule in asked.items()
    }


def _written_symbols(prepdata: Path, losses: list[Call]) -> _Symbols:
    """The vocabulary with the blank added where the file leaves it out, as the loss's number of classes tells."""
    read = f'read_vocabulary(Path("dataset/prepdata/{prepdata.name}"))'
    ctc = next((call for call in losses if _function(call) == "ctc_loss"), None)
    if ctc is None or not ctc.shapes:
        return _Symbols(read, "")
    blank, classes = ctc.arguments.get("blank", 0), ctc.shapes[0][-1]
    if len(read_vocabulary(prepdata)) == classes - 1:
        read = f'("", *{read})' if blank == 0 else f'(*{read}, "")'
    return _Symbols(read, "" if blank == 0 else f", blank={blank}")


def _written_split(task: Task, losses: list[Call], symbols: _Symbols | None) -> str:
    if symbols is not None:
        return f"return texts_by_convention(batch, VOCABULARY{symbols.blank})"
    ignored = _ignored(task, losses)
    if ignored is None:
        return "return by_convention(batch)"
    return f"inputs, targets = by_convention(batch)\n    return inputs, without(targets, {ignored})"


def _ignored(task: Task, losses: list[Call]) -> JsonValue:
    """The target of tokens or pixels that the loss passes over, where it is not the usual one."""
    if task not in ("token-classification", "segmentation", "language-modelling") or len(losses) != 1:
        return None
    said = losses[0].arguments.get("ignore_index", IGNORED)
    return None if said == IGNORED else said


def _helpers(task: Task, losses: list[Call]) -> dict[str, list[str]]:
    """Module of progtrain.evaluation -> what 03_eval.py imports from it."""
    if task != "transcription":
        convention = ["by_convention"] if _ignored(task, losses) is None else ["by_convention", "without"]
        return {
            "asking.inference": ["forward", "has_predict_step", "predict_step"],
            "run": ["main"],
            "yardstick.batches": convention,
        }
    by_ctc = [_function(call) for call in losses] == ["ctc_loss"]
    return {
        "asking.inference": [*(["batch_first"] if by_ctc else []), "has_predict_step", "predict_step"],
        "asking.transcription": [*(["ctc_greedy", "ctc_loss"] if by_ctc else []), "texts_by_convention"],
        "run": ["main"],
        "yardstick.vocabulary": ["read_vocabulary"],
    }


def _written_answer(task: Task, losses: list[Call], symbols: _Symbols | None) -> str:
    if symbols is not None:
        if [_function(call) for call in losses] == ["ctc_loss"]:
            return f"return ctc_greedy(batch_first(model, inputs), VOCABULARY{symbols.blank})"
        return (
            'raise NotImplementedError("give the module a predict_step that returns texts, or answer with texts here")'
        )
    threshold = next((_BINARY[name] for call in losses if (name := _function(call)) in _BINARY), None)
    if threshold is not None and not has_values(task):
        return f"return (forward(model, inputs) > {threshold}).long()"
    if task == "multilabel-classification":
        return "return (forward(model, inputs) > 0).long()"
    return f"return forward(model, inputs){'.argmax(dim=1)' if task == 'classification' else ''}"


def _written_loss(task: Task, losses: list[Call]) -> _Loss:
    if len(losses) != 1:
        found = "no loss" if not losses else f"{len(losses)} losses"
        message = f"{found} of torch.nn.functional seen in the baseline; state it in loss() of 03_eval.py"
        return _Loss(
            summary="To be stated: the baseline's training loss of raw outputs, averaged over the batch.",
            body=f'raise NotImplementedError("{message}")',
            calls=False,
        )
    name = _function(losses[0])
    defaults = {key: value for key, value in _LOSSES[name].items() if key != "ignore_index" or task == "classification"}
    kept = {key: losses[0].arguments.get(key, default) for key, default in defaults.items()}
    scalars = "".join(f", {key}={value!r}" for key, value in kept.items() if value != defaults[key])
    targets = "targets.float()" if name in _BINARY else "targets"
    weighted = len(losses[0].shapes) > 2 and name != "ctc_loss"
    summary = "The baseline's training loss of raw outputs; every version is measured by it, whatever it trains with."
    if weighted:
        summary = "The baseline's training loss of raw outputs without its weights, the same for every version."
    function = name if name == "ctc_loss" else f"F.{name}"
    return _Loss(summary=summary, body=f"return {function}(outputs, {targets}{scalars})", calls=True)


def _function(call: Call) -> str:
    return call.function.rpartition(".")[2]
