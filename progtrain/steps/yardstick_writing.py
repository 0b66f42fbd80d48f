"""Writing 03_eval.py at Step 0, from what the first version's own validation does."""

from __future__ import annotations

from progtrain.errors import EvaluationError
from progtrain.evaluation.scoring.names import DEFAULT_METRICS, LOSS
from progtrain.evaluation.writing.observation import Observation
from progtrain.evaluation.writing.script import render_eval_script
from progtrain.executors import Job
from progtrain.steps.capturing import captured, evaluation_time_limit
from progtrain.steps.context import Context
from progtrain.steps.failure import said
from progtrain.tasks import task_of
from progtrain.workspace import write_atomic


def write_yardstick(context: Context, version: str) -> None:
    """Observe a version's validation, write 03_eval.py from it, and say what could not be taken over.

    Raises:
        EvaluationError: a function of it has to be written by hand; the file is there, with that function left open.
    """
    workspace, loop = context.workspace, context.loop
    seen = _observe(context, version)
    _choose_primary(context, seen)
    snapshot = captured(context, version)
    script = render_eval_script(context.rules, workspace.prepdata(loop.dataset_id), loop.task_type, snapshot, seen)
    write_atomic(workspace.eval_script, script)
    if seen.lacking and task_of(loop.task_type) != "transcription":
        raise EvaluationError(_to_be_written(workspace.eval_script.name, version, seen))
    if seen.loss_by_hand:
        context.say(f"the loss is written by hand in {version}; loss() of {workspace.eval_script.name} restates it")
    if seen.predict_reason:
        context.say(f"predict_step is not asked: {seen.predict_reason}; the outputs of the loss are measured")


def _observe(context: Context, version: str) -> Observation:
    workspace = context.workspace
    log, output = workspace.state / "observe.log", workspace.state / "observation.json"
    arguments = ("-m", "progtrain.evaluation.writing.observe", version, "--output", str(output))
    output.unlink(missing_ok=True)
    outcome = context.executor.run(Job(arguments, workspace.root, log, evaluation_time_limit(workspace)))
    if not outcome.succeeded or not output.is_file():
        raise EvaluationError(
            f"The validation of {version} cannot be observed, so nothing is trained yet: {said(outcome, log)} "
            f"The log is {log}."
        )
    return Observation.model_validate_json(output.read_bytes())


def _choose_primary(context: Context, seen: Observation) -> None:
    """Where no loss can be measured and no metric is named, the task's usual one ranks versions, and it is said."""
    task, config = task_of(context.loop.task_type), context.rules.eval_config
    if seen.loss or task == "transcription" or seen.lacking or config.primary != LOSS:
        return
    reason = seen.loss_reason or "no loss was seen"
    if config.primary_metric is not None or config.metric_rules:
        raise EvaluationError(
            f"Expected a loss that can be measured, since eval_config asks for it; the baseline's cannot be: {reason}. "
            "Name another primary_metric in user_defined_rules.json, or write loss() in 03_eval.py."
        )
    usual = DEFAULT_METRICS[task][0]
    context.workspace.write_record(context.loop.model_copy(update={"primary": usual}), "loop")
    context.say(
        f"the loss cannot be measured ({reason}): versions are ranked by {usual}. "
        "Write loss() in 03_eval.py before v001 is trained to have it measured."
    )


def _to_be_written(script: str, version: str, seen: Observation) -> str:
    functions = " and ".join(f"{name}()" for name in seen.lacking)
    reasons = "; ".join(dict.fromkeys(seen.lacking.values()))
    return (
        f"{script} could not be written whole from what {version} does to validate: {reasons}. Nothing is trained yet. "
        f"Write {functions} there and run again. A batch of the validation loader holds {', '.join(seen.candidates)}."
    )
