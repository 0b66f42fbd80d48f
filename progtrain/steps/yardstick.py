"""The yardstick in the loop: locked at Step 0, before anything is trained, and held before every evaluation."""

from __future__ import annotations

import math
from typing import Final

from progtrain.errors import EvaluationError, ProtocolChangedError
from progtrain.evaluation.yardstick.fingerprints import RECORD as DATA_FILES
from progtrain.evaluation.yardstick.fingerprints import hold_data
from progtrain.evaluation.yardstick.protocol import RECORD, hold_files, read_protocol
from progtrain.executors import Job
from progtrain.records import EvalScore
from progtrain.step_records import AGREEMENT, AgreementRecord, EvaluateRecord
from progtrain.steps.capturing import evaluation_time_limit
from progtrain.steps.context import Context
from progtrain.steps.failure import said
from progtrain.steps.yardstick_writing import write_yardstick

#: Packages that measure; a module of that name in the workspace would be imported in their place.
_MEASURING: Final = (
    "lightning",
    "numpy",
    "pandas",
    "progtrain",
    "pydantic",
    "pytorch_lightning",
    "scipy",
    "torch",
    "torchmetrics",
)


def lock_yardstick(context: Context) -> None:
    """Write 03_eval.py where there is none, and lock what every version is measured by; where it is locked, hold it.

    As long as nothing has been measured the user may change 03_eval.py, metrics.py and the data: they are locked anew.

    Raises:
        EvaluationError: the yardstick does not work, which is better known before the training than after it.
        ProtocolChangedError: it is not what was locked.
    """
    workspace = context.workspace
    if read_protocol(workspace) is not None:
        try:
            hold_yardstick(context)
            return
        except ProtocolChangedError:
            if _anything_measured(context):
                raise
            context.say("nothing has been measured yet: what changed of the evaluation is locked anew")
            workspace.forget(RECORD)
            workspace.forget(DATA_FILES)
    first = workspace.versions()[0]
    if not workspace.eval_script.exists():
        write_yardstick(context, first)
    _refuse_shadows(context)
    log = workspace.state / "lock.log"
    arguments = (workspace.eval_script.name, first, "--lock")
    outcome = context.executor.run(Job(arguments, workspace.root, log, evaluation_time_limit(workspace)))
    if not outcome.succeeded:
        raise EvaluationError(
            f"{workspace.eval_script.name} cannot measure {first}, so nothing is trained yet: {said(outcome, log)} "
            f"The log is {log}."
        )
    agreement = workspace.read_record(AgreementRecord, AGREEMENT)
    if agreement is not None and not agreement.compared:
        context.say(f"nothing to hold the figures of {workspace.eval_script.name} against: {agreement.reason}")


def hold_yardstick(context: Context) -> None:
    """See that everything that files tell of the yardstick is as it was locked.

    Raises:
        ProtocolChangedError: something differs; the message names it.
    """
    _refuse_shadows(context)
    hold_data(context.workspace, context.loop.dataset_id)
    hold_files(context.workspace, context.rules, context.loop.dataset_id)


def hold_scores(context: Context) -> None:
    """See that every eval_score.json says what was measured, before versions are ranked by it.

    Raises:
        ProtocolChangedError: one says something else; the message names it.
    """
    workspace = context.workspace
    for version in workspace.versions():
        path = workspace.artifacts(version) / "eval_score.json"
        evaluated = workspace.read_record(EvaluateRecord, "evaluate", version)
        again = workspace.read_record(EvalScore, "reevaluate", version)
        measured = [score for score in (None if evaluated is None else evaluated.score, again) if score is not None]
        if not measured or not path.is_file():
            continue
        said_now = EvalScore.model_validate_json(path.read_bytes())
        if not any(_same(said_now, score) for score in measured):
            raise ProtocolChangedError(
                f"{workspace.relative(path)} does not say what was measured: expected {_brief(measured[-1])}, "
                f"got {_brief(said_now)}. `progtrain evaluate {workspace.root} --version {version}` measures it again."
            )


def _same(one: EvalScore, other: EvalScore) -> bool:
    """Whether both tell the same; 03_eval.py run by hand gives another moment and another latency."""
    if (one.dataset_id, one.num_samples, len(one.metrics)) != (other.dataset_id, other.num_samples, len(other.metrics)):
        return False
    return all(
        (a.name, a.higher_is_better) == (b.name, b.higher_is_better) and _close(a.value, b.value)
        for a, b in zip(one.metrics, other.metrics, strict=True)
    )


def _close(one: float | None, other: float | None) -> bool:
    return one is other or (one is not None and other is not None and math.isclose(one, other, rel_tol=1e-4))


def _brief(score: EvalScore) -> str:
    return ", ".join(f"{metric.name} {metric.value}" for metric in score.metrics)


def _anything_measured(context: Context) -> bool:
    workspace = context.workspace
    return any(workspace.read_record(EvaluateRecord, "evaluate", version) for version in workspace.versions())


def _refuse_shadows(context: Context) -> None:
    root = context.workspace.root
    modules = [root / f"{name}.py" for name in _MEASURING] + [root / name / "__init__.py" for name in _MEASURING]
    there = [context.workspace.relative(path) for path in modules if path.exists()]
    if there:
        raise ProtocolChangedError(
            f"{', '.join(there)} would be imported in the place of an installed package that measures. Rename it."
        )
