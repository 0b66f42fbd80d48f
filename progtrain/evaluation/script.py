"""Writing 03_eval.py: the metrics, the inference and the baseline's loss, in a script that can be read in a minute."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from pydantic import JsonValue

from progtrain.evaluation.names import LOSS, Task, direction, task_of
from progtrain.records import Call, Snapshot
from progtrain.rules import EvalConfig, MetricRule, Rules

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
}
_BINARY: Final = {"binary_cross_entropy": "0.5", "binary_cross_entropy_with_logits": "0"}


@dataclass(frozen=True)
class _Loss:
    """`loss()` as it is written: its docstring, its body, and whether the body calls a known functional."""

    summary: str
    body: str
    calls: bool


def render_eval_script(rules: Rules, task_type: str, snapshot: Snapshot) -> str:
    """The text of 03_eval.py for a workspace.

    Args:
        rules: which metrics are asked for, and their directions where the user states them.
        task_type: as in stats.json.
        snapshot: the baseline's; its first training step shows the loss.

    Raises:
        EvaluationError: the task or a metric is not known.
    """
    task = task_of(task_type)
    losses = [call for call in snapshot.calls if _function(call) in _LOSSES]
    loss = _written_loss(losses)
    environment = Environment(
        loader=PackageLoader("progtrain.evaluation"),
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    return environment.get_template("03_eval.py.j2").render(
        task=task,
        directions=_directions(rules.eval_config, task, has_loss=loss.calls),
        answer=_written_answer(task, losses),
        loss=loss,
    )


def _directions(config: EvalConfig, task: Task, has_loss: bool) -> dict[str, bool]:
    asked = {rule.name: rule for rule in (MetricRule(name=config.primary), *config.metric_rules)}
    if has_loss:
        asked.setdefault(LOSS, MetricRule(name=LOSS))
    return {
        name: direction(name, task) if rule.higher_is_better is None else rule.higher_is_better
        for name, rule in asked.items()
    }


def _written_answer(task: Task, losses: list[Call]) -> str:
    if task == "regression":
        return "forward(model, inputs)"
    threshold = next((_BINARY[name] for call in losses if (name := _function(call)) in _BINARY), None)
    if threshold is not None:
        return f"(forward(model, inputs) > {threshold}).long()"
    return "forward(model, inputs).argmax(dim=1)"


def _written_loss(losses: list[Call]) -> _Loss:
    if len(losses) != 1:
        found = "no loss" if not losses else f"{len(losses)} losses"
        message = f"{found} of torch.nn.functional seen in the baseline; state it in loss() of 03_eval.py"
        return _Loss(
            summary="To be stated: the baseline's training loss of raw outputs, averaged over the batch.",
            body=f'raise NotImplementedError("{message}")',
            calls=False,
        )
    name = _function(losses[0])
    defaults = _LOSSES[name]
    kept = {key: losses[0].arguments.get(key, default) for key, default in defaults.items()}
    scalars = "".join(f", {key}={value!r}" for key, value in kept.items() if value != defaults[key])
    targets = "targets.float()" if name in _BINARY else "targets"
    weighted = len(losses[0].shapes) > 2
    summary = "The baseline's training loss of raw outputs; every version is measured by it, whatever it trains with."
    if weighted:
        summary = "The baseline's training loss of raw outputs without its weights, the same for every version."
    return _Loss(summary=summary, body=f"return F.{name}(outputs, {targets}{scalars})", calls=True)


def _function(call: Call) -> str:
    return call.function.rpartition(".")[2]
