"""Step 7: measure the registered models once more, rank, report, and promote the best; once a finished loop."""

from __future__ import annotations

from pathlib import Path

from progtrain.errors import ReportError
from progtrain.executors import Job
from progtrain.records import EvalScore
from progtrain.reporting.console import format_leaderboard
from progtrain.reporting.final import REEVALUATION, leaderboard_of, next_report_folder
from progtrain.reporting.script import render_report_script
from progtrain.step_records import ReportPlan, ReportRecord
from progtrain.steps.capturing import evaluation_time_limit
from progtrain.steps.context import Context
from progtrain.steps.external import measure_external
from progtrain.steps.failure import summarise
from progtrain.steps.hidden_split import score_hidden_split
from progtrain.steps.yardstick import hold_scores
from progtrain.workspace import now, write_atomic

REGISTRATION_WAIT = 120.0
"""Seconds that the report waits for models that are still being registered; what is not there by then is warned of."""


def report(context: Context) -> ReportRecord:
    """Write the final report, unless there is one of exactly these versions and models from elsewhere.

    Raises:
        ReportError: 04_final_report.py failed.
    """
    workspace = context.workspace
    versions, external = workspace.versions(), workspace.external_names()
    made = workspace.read_record(ReportRecord, "report")
    is_made = made is not None and (made.versions, made.external) == (versions, external)
    if made is not None and is_made and (workspace.root / made.folder).is_dir():
        context.say("\n" + format_leaderboard(leaderboard_of(workspace)))
        context.say(f"\nThe loop is finished: the best is {made.best}, the report is in {made.folder}")
        return made
    started_at = now()
    folder = _planned_folder(context, versions, external)
    if not folder.is_dir():  # it appears whole: where it is there, only what comes after it was cut short
        hold_scores(context)
        _remeasure(context, versions)
        measure_external(context)
        score_hidden_split(context, leaderboard_of(workspace).best)
        _write(context, folder)
    board = leaderboard_of(workspace)
    record = ReportRecord(
        folder=workspace.relative(folder),
        versions=versions,
        external=external,
        best=board.best,
        started_at=started_at,
        finished_at=now(),
    )
    if board.best not in board.barred:
        context.tracker.promote(board.best)
    context.tracker.report_finished(folder)
    workspace.write_record(record, "report")
    context.say("\n" + format_leaderboard(board) + f"\n\nThe report is in {folder}")
    return record


def _remeasure(context: Context, versions: tuple[str, ...]) -> None:
    """Score every registered model by the locked protocol; that score is the version's from now on."""
    for left in context.tracker.drain(REGISTRATION_WAIT):
        context.say(f"warning: not in MLflow yet: {left}")
    models = context.tracker.fetch_models(versions)
    for version in versions:
        if version not in models:
            context.say(f"warning: {version} has no registered model to be measured again; its score stands as it is")
    # One after another: side by side they would measure each other's latency.
    for version, model in models.items():
        _score_model(context, version, model)


def _score_model(context: Context, version: str, model: Path) -> None:
    workspace = context.workspace
    log, output = workspace.log(version, "reevaluate"), workspace.record_path(REEVALUATION, version)
    output.unlink(missing_ok=True)
    arguments = (workspace.eval_script.name, version, "--model", str(model), "--output", str(output))
    outcome = context.executor.run(Job(arguments, workspace.root, log, evaluation_time_limit(workspace)))
    score = workspace.read_record(EvalScore, REEVALUATION, version)
    if not outcome.succeeded or score is None:
        context.say(f"warning: the registered model of {version} could not be measured: {summarise(outcome, log)}")
        return
    write_atomic(workspace.artifacts(version) / "eval_score.json", score.model_dump_json(indent=2) + "\n")
    context.tracker.version_finished(version)


def _planned_folder(context: Context, versions: tuple[str, ...], external: tuple[str, ...]) -> Path:
    workspace = context.workspace
    plan = workspace.read_record(ReportPlan, "report_plan")
    if plan is None or (plan.versions, plan.external) != (versions, external):
        folder = workspace.relative(next_report_folder(workspace))
        plan = ReportPlan(folder=folder, versions=versions, external=external)
        workspace.write_record(plan, "report_plan")
    return workspace.root / plan.folder


def _write(context: Context, folder: Path) -> None:
    workspace = context.workspace
    if not workspace.report_script.exists():
        write_atomic(workspace.report_script, render_report_script())
    log = workspace.state / "report.log"
    arguments = (workspace.report_script.name, "--folder", str(folder))
    job = Job(arguments, workspace.root, log, evaluation_time_limit(workspace))
    outcome = context.executor.run(job)
    if not outcome.succeeded or not folder.is_dir():
        raise ReportError(f"{workspace.report_script.name} failed: {summarise(outcome, log)}. The log is {log}.")
