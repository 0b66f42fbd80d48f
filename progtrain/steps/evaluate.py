"""Step 2: measure one version by 03_eval.py, which Step 0 wrote and locked."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from progtrain.errors import EvaluationError
from progtrain.executors import Job
from progtrain.predictions import FILE_NAME
from progtrain.records import EvalScore
from progtrain.step_records import AGREEMENT, AgreementRecord, EvaluateRecord
from progtrain.steps.capturing import evaluation_time_limit
from progtrain.steps.context import Context
from progtrain.steps.failure import said
from progtrain.steps.lineage import parent_of, too_slow
from progtrain.steps.seal import Seal
from progtrain.steps.yardstick import hold_yardstick
from progtrain.workspace import now

_NULL: Final = re.compile(r"warning: (.+?) is null: (.+)")


def evaluate(context: Context, version: str) -> None:
    """Run 03_eval.py for this version, and read what it measured.

    Raises:
        EvaluationError: it failed; the message says why.
        ProtocolChangedError: the yardstick is not what was locked.
    """
    workspace = context.workspace
    for name in ("evaluate", "analyze", "choose"):
        workspace.forget(name, version)
    hold_yardstick(context)
    started_at = now()
    log = workspace.log(version, "evaluate")
    seal = Seal(workspace, version)
    job = Job((workspace.eval_script.name, version), workspace.root, log, evaluation_time_limit(workspace))
    outcome = context.executor.run(job)
    seal.hold_records()
    seal.hold_users_files()
    if not outcome.succeeded:
        raise EvaluationError(f"{version} could not be evaluated: {said(outcome, log)} The log is {log}.")
    home = workspace.artifacts(version)
    score = EvalScore.model_validate_json((home / "eval_score.json").read_bytes())
    outputs = [home / "eval_score.json", home / FILE_NAME]
    if context.rules.eval_config.infer_samples:
        outputs.append(home / "infer_samples")
    record = EvaluateRecord(
        started_at=started_at,
        finished_at=now(),
        script_sha256=workspace.script_sha256(version),
        outputs=tuple(workspace.relative(path) for path in outputs),
        score=score,
        seconds=outcome.seconds,
        reasons=_reasons(log, score),
    )
    workspace.write_record(record, "evaluate", version)
    _tell_what_is_null(context, version, record)
    if too_slow(context, version):
        limit = context.rules.constraints.max_latency_ms
        context.say(
            f"{version}: one answer takes {score.latency_ms:.3g} ms, constraints.max_latency_ms allows {limit:g}: "
            "it may not become the best, and nothing is built on it"
        )
    agreement = workspace.read_record(AgreementRecord, AGREEMENT, version)
    if agreement is not None and agreement.disagreement:
        context.say(f"{version}: warning: {agreement.disagreement}: it may not become the best, nothing is built on it")
    # Its model is exported and registered in the background from here on.
    context.tracker.version_finished(version)


def _reasons(log: Path, score: EvalScore) -> dict[str, str]:
    """Why metrics have no value, as 03_eval.py prints it."""
    told = map(_NULL.match, log.read_text(encoding="utf-8", errors="replace").splitlines())
    reasons = {line[1]: line[2].strip() for line in told if line}
    return {each.name: reasons[each.name] for each in score.metrics if each.value is None and each.name in reasons}


def _tell_what_is_null(context: Context, version: str, record: EvaluateRecord) -> None:
    """Say why a metric has no value, where the parent had one, or there is no parent."""
    parent = parent_of(context, version)
    before = None if parent is None else context.workspace.read_record(EvaluateRecord, "evaluate", parent)
    for name, reason in record.reasons.items():
        known = None if before is None else before.score.metric(name)
        if before is None or (known is not None and known.value is not None):
            context.say(f"{version}: warning: {name} is null: {reason}")
