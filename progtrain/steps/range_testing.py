"""A learning-rate range test of the version that a change is made to, run once and kept as a record."""

from __future__ import annotations

from progtrain.actions import Situation
from progtrain.advisors.by_rule import TAKE_BACK
from progtrain.executors import Job
from progtrain.reporting.action_extract import RangeShown
from progtrain.reporting.rendering import number
from progtrain.script.capturing.rate_curve import RateCurve, suggest
from progtrain.script.capturing.sandbox import scratch_view
from progtrain.script.editing.versioning import body, undo_edits
from progtrain.script.settings.rates import present_rate
from progtrain.step_records import RANGE_TEST, RangeTestRecord
from progtrain.steps.capturing import evaluation_time_limit
from progtrain.steps.context import Context
from progtrain.steps.failure import summarise
from progtrain.steps.seal import Seal
from progtrain.workspace import now, sha256_of


def range_test(context: Context, parent: str, situation: Situation) -> RangeTestRecord | None:
    """The record of a version's range test, which is run where there is none; one that failed is a record too.

    Args:
        context: the opened workspace.
        parent: the version that the next one is made from.
        situation: what it trains, and what the rules lock.

    Returns:
        None where no range test is asked for, or its result could not be used.

    Raises:
        ProtocolChangedError: the script changed files that a training script has no business with.
    """
    snapshot, workspace = situation.snapshot, context.workspace
    by_itself = snapshot.automatic_optimization and len(snapshot.optimizers) == 1
    taken_back = situation.undo is not None and situation.finding(TAKE_BACK) is not None
    if context.rules.loop_config.probes < 1 or "lr" in situation.locks or not by_itself or taken_back:
        return None
    kept = workspace.read_record(RangeTestRecord, RANGE_TEST, parent)
    if kept is not None and kept.script_sha256 == workspace.script_sha256(parent):
        return kept
    record = _made_before(context, parent) or _made(context, parent)
    workspace.write_record(record, RANGE_TEST, parent)
    context.tracker.version_finished(parent)
    said = record.remark
    if record.suggested is not None and record.peak is not None:
        said = f"suggests {record.suggested:g}, or {record.peak:g} as the peak of a schedule"
    context.say(f"{parent}: learning-rate range test, {number(present_rate(snapshot))} at present: {said}")
    return record


def shown(record: RangeTestRecord | None, situation: Situation) -> RangeShown | None:
    """A range test as evidence on a page."""
    if record is None:
        return None
    where = "" if record.same_as is None else f"tested as {record.same_as}, which is the same script"
    return RangeShown(
        steps=len(record.rates),
        lowest=min(record.rates, default=None),
        highest=max(record.rates, default=None),
        suggested=record.suggested,
        peak=record.peak,
        present=present_rate(situation.snapshot),
        remark="; ".join(part for part in (record.remark, where) if part),
    )


def _made_before(context: Context, parent: str) -> RangeTestRecord | None:
    """That of an earlier version with the same script but for its name, as a change that was taken back leaves it."""
    workspace, moment = context.workspace, now()
    source = workspace.read_script(parent)
    for version in workspace.versions():
        record = workspace.read_record(RangeTestRecord, RANGE_TEST, version)
        earlier = workspace.read_script(version)
        if version == parent or record is None or record.script_sha256 != sha256_of(earlier):
            continue
        if not undo_edits(body(source), body(earlier)):
            own = {"started_at": moment, "finished_at": moment, "script_sha256": sha256_of(source)}
            return record.model_copy(update={**own, "same_as": record.same_as or version})
    return None


def _made(context: Context, parent: str) -> RangeTestRecord:
    source, started_at = context.workspace.read_script(parent), now()
    curve = _run(context, parent, source)
    suggestion = suggest(curve)
    return RangeTestRecord(
        started_at=started_at,
        finished_at=now(),
        script_sha256=sha256_of(source),
        rates=curve.rates,
        losses=curve.losses,
        suggested=suggestion.rate,
        peak=suggestion.peak,
        remark=suggestion.remark,
    )


def _run(context: Context, parent: str, source: str) -> RateCurve:
    """In a process and a folder of its own, which is thrown away, for no longer than a training may take."""
    workspace, minutes = context.workspace, context.rules.loop_config.train_time_limit_minutes
    limit = evaluation_time_limit(workspace) if minutes is None else minutes * 60
    log = workspace.log(parent, RANGE_TEST)
    with scratch_view(workspace, parent, source) as folder:
        output, script = folder / "range_test.json", workspace.script(parent).name
        arguments = ("-m", "progtrain.script.capturing.range_test", script, "--output", output.name)
        seal = Seal(workspace, parent)
        outcome = context.executor.run(Job(arguments, folder, log, limit))
        seal.hold_records()
        seal.hold_users_files()
        if not outcome.succeeded or not output.is_file():
            return RateCurve(rates=(), losses=(), failure=summarise(outcome, log))
        return RateCurve.model_validate_json(output.read_bytes())
