"""Writing 03_eval.py: the metrics, the inference and the baseline's loss, in a script that can be read in a minute."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from progtrain.evaluation.scoring.directions import direction
from progtrain.evaluation.scoring.names import DEFAULT_METRICS, LOSS
from progtrain.evaluation.writing.losses import LOSSES
from progtrain.evaluation.writing.observation import Observation
from progtrain.evaluation.yardstick.vocabulary import read_vocabulary
from progtrain.records import Call, Snapshot
from progtrain.rules import EvalConfig, MetricRule, Rules
from progtrain.tasks import Task, has_values, task_of


@dataclass(frozen=True)
class _Symbols:
    """How the symbols of a transcription are written: VOCABULARY's value, and the arguments that name the blank."""

    vocabulary: str
    blank: str


def render_eval_script(
    rules: Rules, prepdata: Path, task_type: str, snapshot: Snapshot, observation: Observation
) -> str:
    """The text of 03_eval.py for a workspace.

    Args:
        rules: which metrics are asked for, and their directions where the user states them.
        prepdata: folder of the prepared data, `dataset/prepdata/{dataset_id}` of a workspace.
        task_type: as in stats.json.
        snapshot: the baseline's; its first training step shows CTC's blank.
        observation: of the baseline's own validation.

    Raises:
        EvaluationError: the task or a metric is not known, or the loss that is asked for cannot be measured.
    """
    task = task_of(task_type)
    losses = [call for call in snapshot.calls if _function(call) in LOSSES]
    symbols = _written_symbols(prepdata, losses) if task == "transcription" else None
    bodies = _texts(losses, symbols) if symbols is not None else _bodies(task, observation)
    directions = _directions(rules.eval_config, task, has_loss=not bodies.loss[0].startswith("raise"))
    environment = Environment(
        loader=PackageLoader("progtrain.evaluation.writing"),
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    return environment.get_template("03_eval.py.j2").render(
        task=task,
        directions=directions,
        logged={metric: name for metric, name in observation.logged.items() if metric in directions},
        bodies=bodies,
        which=observation.which,
        symbols=symbols,
        helpers=_helpers(bodies, symbols),
    )


def _directions(config: EvalConfig, task: Task, has_loss: bool) -> dict[str, bool]:
    primary = config.primary
    if not has_loss and config.primary_metric is None:
        primary = DEFAULT_METRICS[task][0]
    asked = {rule.name: rule for rule in (MetricRule(name=primary), *config.metric_rules)}
    if config.with_defaults:
        asked = {name: MetricRule(name=name) for name in DEFAULT_METRICS[task]} | asked
    if has_loss:
        asked.setdefault(LOSS, MetricRule(name=LOSS))
    return {
        name: direction(name, task) if rule.higher_is_better is None else rule.higher_is_better
        for name, rule in asked.items()
    }


@dataclass(frozen=True)
class _Bodies:
    """The functions of 03_eval.py: their docstrings and bodies; no outputs() where the model's forward gives them."""

    split: tuple[str, ...]
    split_doc: str
    predict: tuple[str, ...]
    predict_doc: str
    loss: tuple[str, ...]
    loss_doc: str
    outputs: tuple[str, ...] = ()


def _bodies(task: Task, seen: Observation) -> _Bodies:
    lacking = {name: f'raise NotImplementedError("{_quoted(reason)}")' for name, reason in seen.lacking.items()}
    split = (lacking["split"],) if "split" in lacking else seen.split or ("return by_convention(batch)",)
    predict = (lacking["predict"],) if "predict" in lacking else (_written_answer(task, seen),)
    loss = seen.loss
    if not loss:
        reason = seen.loss_reason or "the validation step was not followed"
        loss = (f'raise NotImplementedError("{_quoted(reason)}; state it in loss() of 03_eval.py")',)
    return _Bodies(
        split=split,
        split_doc=_split_doc(seen),
        predict=predict,
        predict_doc=_predict_doc(seen),
        loss=loss,
        loss_doc=_loss_doc(seen),
        outputs=seen.outputs,
    )


def _split_doc(seen: Observation) -> str:
    if not seen.used:
        return "The inputs and the targets of a batch of the validation loader."
    return f"The inputs and the targets of a batch, as the script's own {seen.used}."


def _predict_doc(seen: Observation) -> str:
    if seen.predict_reason:
        return f"The module's predict_step is not asked: {seen.predict_reason}."
    return "Answer one batch as serving would; the model is in evaluation mode and gradients are off."


def _loss_doc(seen: Observation) -> str:
    if not seen.loss:
        return "To be stated: the baseline's loss of raw outputs, averaged over the batch."
    if seen.step == "validation_step":
        return "What the baseline's validation logs; every version is measured by it, whatever it trains with."
    return "The baseline's training loss; every version is measured by it, whatever it trains with."


def _written_answer(task: Task, seen: Observation) -> str:
    if seen.predict_step:
        return "return predict_step(model, inputs)"
    raw = "outputs(model, inputs)" if seen.outputs else "forward(model, inputs)"
    if task == "multilabel-classification":
        return f"return ({raw} > {seen.threshold}).long()"
    if seen.single and not has_values(task):
        return f"return ({raw} > {seen.threshold}).long()"
    return f"return {raw}{'.argmax(dim=1)' if task == 'classification' else ''}"


def _quoted(text: str) -> str:
    return " ".join(text.replace("\\", "/").replace('"', "'").split())


def _texts(losses: list[Call], symbols: _Symbols) -> _Bodies:
    """The functions for texts, where frames are decoded by CTC or predict_step gives them."""
    by_ctc = [_function(call) for call in losses] == ["ctc_loss"]
    answer = f"return ctc_greedy(batch_first(model, inputs), VOCABULARY{symbols.blank})"
    if not by_ctc:
        answer = (
            'raise NotImplementedError("give the module a predict_step that returns texts, or answer with texts here")'
        )
    loss = 'raise NotImplementedError("no ctc_loss was seen in the baseline; state its loss in loss() of 03_eval.py")'
    if by_ctc:
        given = losses[0].arguments
        stated = {name: given.get(name, usual) for name, usual in LOSSES["ctc_loss"].items()}
        written = [f", {name}={value!r}" for name, value in stated.items() if value != LOSSES["ctc_loss"][name]]
        loss = f"return ctc_loss(outputs, targets{''.join(written)})"
    return _Bodies(
        split=(f"return texts_by_convention(batch, VOCABULARY{symbols.blank})",),
        split_doc="The inputs and the targets of a batch of the validation loader.",
        predict=("if has_predict_step(model):", "    return predict_step(model, inputs)", answer),
        predict_doc="Answer one batch as serving would; the model is in evaluation mode and gradients are off.",
        loss=(loss,),
        loss_doc="The baseline's training loss of raw outputs; every version is measured by it.",
    )


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


#: What 03_eval.py may call -> the module of progtrain.evaluation that it comes from.
_HELPERS: Final = {
    **dict.fromkeys(("batch_first", "exportable", "forward", "has_predict_step", "predict_step"), "asking.inference"),
    **dict.fromkeys(("ctc_greedy", "ctc_loss", "texts_by_convention"), "asking.transcription"),
    **dict.fromkeys(("blanked", "by_convention", "without"), "yardstick.batches"),
    "main": "run",
    "read_vocabulary": "yardstick.vocabulary",
}


def _helpers(bodies: _Bodies, symbols: _Symbols | None) -> dict[str, list[str]]:
    """Module of progtrain.evaluation -> what 03_eval.py imports from it."""
    code = "\n".join((*bodies.split, *bodies.outputs, *bodies.predict, *bodies.loss))
    used = {name for name in _HELPERS if re.search(rf"(?<![.\w]){name}\(", code)} | {"main"}
    used |= {"exportable"} if bodies.outputs else set()
    used |= {"read_vocabulary"} if symbols is not None else set()
    modules = sorted({_HELPERS[name] for name in used})
    return {module: sorted(name for name in used if _HELPERS[name] == module) for module in modules}


def _function(call: Call) -> str:
    return call.function.rpartition(".")[2]
