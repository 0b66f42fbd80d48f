"""Step 1: train one version, and see that it left what it must."""

from __future__ import annotations

import json
import shutil
from datetime import datetime
from pathlib import Path

from progtrain.curves import latest_metrics_csv
from progtrain.diagnosis.integrity import leaked
from progtrain.errors import ScriptError, TrainingFailedError
from progtrain.executors import Job, Outcome
from progtrain.records import Snapshot
from progtrain.repairs import Mended
from progtrain.reporting.retries import TrainAttempt
from progtrain.script.auditing.audit import Issue, contradictions, hold_settings
from progtrain.step_records import AuthorRecord, TrainRecord
from progtrain.steps.capturing import capture_source, captured, keep
from progtrain.steps.context import Context
from progtrain.steps.end_of_training import not_the_end, will_not_be_the_end
from progtrain.steps.failure import may_pass, summarise
from progtrain.steps.progress import Progress
from progtrain.steps.repairing import repaired
from progtrain.steps.seal import Seal
from progtrain.steps.withdrawing import authored, forget_withdrawn, former_attempts, in_place_of, keep_attempts
from progtrain.workspace import Workspace, now, write_atomic

AFTER = ("evaluate", "analyze", "choose")
EVALUATION_OUTPUTS = ("eval_score.json", "infer_samples")


def train(context: Context, version: str) -> None:
    """Train a version within the allowed attempts.

    Raises:
        TrainingFailedError: no attempt succeeded.
        CaptureError: the script does not reach `Trainer.fit`.
        ScriptError: it would train what the rules forbid, and cannot be made not to.
        ProtocolChangedError: while it trained, files changed that a training script has no business with.
    """
    workspace = context.workspace
    for name in ("train", *AFTER):
        workspace.forget(name, version)
    forget_withdrawn(workspace, version)
    for name in ("report", "report_plan"):  # a report of what is trained anew is no longer one of what is there
        workspace.forget(name)
    started_at = now()
    author = authored(workspace, version)
    action = None if author is None else author.action
    former = former_attempts(workspace, version)
    attempts: list[TrainAttempt] = []
    repair: Mended | None = None
    for number in range(1, context.rules.loop_config.max_train_attempts + 1):
        note, snapshot = _hold_rules(context, version)
        if not attempts:
            _warn(context, version, snapshot)
        seal = Seal(workspace, version)
        failure, seconds = _attempt(context, version, snapshot)
        seal.hold_records()
        change = note if attempts or action is None else in_place_of(former, action)
        change = change if repair is None else f"{repair.repair}: {repair.change}"
        repair = None if failure is None else _repaired(context, version, snapshot, failure)
        cause = "" if repair is None else repair.cause
        attempts.append(TrainAttempt(len(former) + number, failure, change, action, cause))
        keep_attempts(workspace, version, (*former, *attempts))
        if failure is None:
            _finish(context, version, started_at, len(attempts), seconds, snapshot)
            seal.hold_users_files()
            return
        context.say(f"{version}: attempt {number} failed: {failure}")
        if repair is not None:
            context.say(f"{version}: {repair.repair}: {repair.change}")
        elif not may_pass(failure):
            break  # it would be the same again
    failures = tuple(attempt.error or "" for attempt in attempts)
    context.tracker.version_failed(version, failures[-1])
    raise TrainingFailedError(
        f"{version} could not be trained in {len(attempts)} attempt{'s' * (len(attempts) > 1)}: {failures[-1]}. "
        f"The log is {workspace.log(version, 'train')}; mend {workspace.script(version).name} and run again.",
        failures,
    )


def _repaired(context: Context, version: str, snapshot: Snapshot, failure: str) -> Mended | None:
    log = context.workspace.log(version, "train")
    return repaired(context, version, snapshot, failure, log)


def _warn(context: Context, version: str, snapshot: Snapshot) -> None:
    for finding in leaked(snapshot):
        context.say(f"{version}: warning: {finding.message}")
    if snapshot.breakdown is not None:
        context.say(f"{version}: warning: it is seen to fail in training: {snapshot.breakdown}")


def _hold_rules(context: Context, version: str) -> tuple[str, Snapshot]:
    """See that what is about to be trained is what the rules say; edit the script where it is not."""
    workspace, rules = context.workspace, context.rules
    path = workspace.script(version)
    snapshot = captured(context, version)
    source = path.read_text(encoding="utf-8")
    held = hold_settings(source, snapshot, rules)
    if held.source != source:
        snapshot = capture_source(workspace, context.executor, version, held.source)
    _refuse_what_is_forbidden(context, version, snapshot, held.issues)
    for issue in held.issues:
        if issue.message not in context.loop.warnings:
            context.say(f"{version}: {issue.message}: {issue.remedy}")
    if held.source == source:
        return "none", snapshot
    write_atomic(path, held.source)
    keep(context, version, held.source, snapshot)
    return "; ".join(f"{issue.message}: {issue.remedy}" for issue in held.issues if issue.patched), snapshot


def _refuse_what_is_forbidden(context: Context, version: str, snapshot: Snapshot, issues: tuple[Issue, ...]) -> None:
    broken = [*contradictions(snapshot, context.rules)]
    limit = context.rules.constraints.max_parameters
    if limit is not None and snapshot.parameters > limit:
        broken.append(f"constraints.max_parameters allows {limit:,}, the model has {snapshot.parameters:,}")
    if no_end := will_not_be_the_end(snapshot, context.workspace.read_script(version)):
        raise ScriptError(f"{version} is not trained: {no_end} in {context.workspace.script(version).name}.")
    if broken:
        remedies = {issue.message: f" ({issue.remedy})" for issue in issues if not issue.patched}
        raise ScriptError(
            f"{version} is not trained, the rules fix it otherwise: "
            + "; ".join(text + remedies.get(text, "") for text in broken)
            + f". Change it in {context.workspace.script(version).name}, or the rules."
        )


def _attempt(context: Context, version: str, snapshot: Snapshot) -> tuple[str | None, float]:
    """Reset the artifacts and run the script; why it failed, or None, and its seconds."""
    workspace = context.workspace
    home, log = workspace.artifacts(version), workspace.log(version, "train")
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    author = workspace.read_record(AuthorRecord, "author", version)
    context.tracker.version_started(version, snapshot, author)
    limit = context.rules.loop_config.train_time_limit_minutes
    job = Job((workspace.script(version).name,), workspace.root, log, None if limit is None else limit * 60)
    outcome = context.executor.run(job, Progress(context, version, snapshot.max_epochs))
    context.progress("")
    failure = _failure(workspace, version, outcome, log)
    if failure is not None:
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True)
    return failure, outcome.seconds


def _failure(workspace: Workspace, version: str, outcome: Outcome, log: Path) -> str | None:
    if not outcome.succeeded:
        return summarise(outcome, log)
    home = workspace.artifacts(version)
    missing = [name for name in ("best.ckpt", "last.ckpt", "spec.json") if not (home / name).is_file()]
    logs = latest_metrics_csv(home)
    if logs is None:
        missing.append("logs/version_#/metrics.csv")
    elif not logs.with_name("hparams.yaml").is_file():
        missing.append("logs/version_#/hparams.yaml")
    if not missing and not _has_assets(home):
        missing.append("additional_assets/ (or 'not_required' in spec.json)")
    if missing:
        return f"it ended well but left no {', '.join(missing)} in {workspace.relative(home)}"
    if ended := not_the_end(home):
        return ended
    written = [name for name in EVALUATION_OUTPUTS if (home / name).exists()]
    return f"a training script must not write {' or '.join(written)}" if written else None


def _has_assets(home: Path) -> bool:
    folder = home / "additional_assets"
    if folder.is_dir() and any(folder.iterdir()):
        return True
    try:
        return "not_required" in json.dumps(json.loads((home / "spec.json").read_text(encoding="utf-8")))
    except ValueError:
        return False


def _finish(
    context: Context, version: str, started_at: datetime, attempts: int, seconds: float, snapshot: Snapshot
) -> None:
    workspace = context.workspace
    home = workspace.artifacts(version)
    logs = latest_metrics_csv(home)
    outputs = [home / "best.ckpt", home / "last.ckpt", home / "spec.json", *([logs] if logs else [])]
    record = TrainRecord(
        started_at=started_at,
        finished_at=now(),
        script_sha256=workspace.script_sha256(version),
        outputs=tuple(workspace.relative(path) for path in outputs),
        attempts=attempts,
        seconds=seconds,
        snapshot=snapshot,
    )
    workspace.write_record(record, "train", version)
