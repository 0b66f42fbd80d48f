"""The Snapshot of a script, captured in a child process and kept by the script's hash."""

from __future__ import annotations

from typing import Final

from progtrain.errors import CaptureError
from progtrain.executors import Executor, Job
from progtrain.records import Snapshot
from progtrain.rules import held_by
from progtrain.script.capturing.patience import seconds_before_fit
from progtrain.script.capturing.sandbox import scratch_view
from progtrain.script.reading.index import parse
from progtrain.step_records import CaptureRecord
from progtrain.steps.context import Context
from progtrain.steps.failure import said, usage_error
from progtrain.steps.seal import Seal
from progtrain.workspace import Workspace, sha256_of

_GRACE: Final = 60.0
"""Seconds after the script has been interrupted, and for what it does within Trainer.fit before it trains."""
_MEASURING: Final = 6 * 3600.0
"""Seconds for an evaluation, which may be of a large set; one that hangs must not hold the loop."""


def evaluation_time_limit(workspace: Workspace) -> float:
    """Seconds after which a job that runs a script up to fit, and then its model, is ended."""
    return seconds_before_fit(workspace.root) + _MEASURING


def capture_source(workspace: Workspace, executor: Executor, version: str, source: str) -> Snapshot:
    """Run `source` as that version's script up to `Trainer.fit`, away from the real artifacts.

    Raises:
        CaptureError: it did not get there; the message says why.
        ScriptError: it is not Python.
        ProtocolChangedError: on its way there it changed files that a training script has no business with.
    """
    parse(source)
    log = workspace.log(version, "capture")
    with scratch_view(workspace, version, source) as folder:
        output = folder / "snapshot.json"
        script = workspace.script(version).name
        arguments = ("-m", "progtrain.script.capturing.capture", script, "--output", output.name)
        seal = Seal(workspace, version)
        outcome = executor.run(Job(arguments, folder, log, seconds_before_fit(workspace.root) + _GRACE))
        seal.hold_records()
        seal.hold_users_files()
        if outcome.timed_out:
            end = f"{script} was ended after {outcome.seconds:.0f} s before Trainer.fit."
            raise CaptureError(f"{end} The log is {log}.")
        if not outcome.succeeded or not output.is_file():
            end = said(outcome, log)
            end = end if script in end else f"{script} did not reach Trainer.fit: {end.rstrip('.')}."
            end = f"{end} It says: {usage}." if (usage := usage_error(log)) else end
            raise CaptureError(f"{end} The log is {log}.")
        return Snapshot.model_validate_json(output.read_bytes())


def captured(context: Context, version: str) -> Snapshot:
    """The Snapshot of a version's script as it stands on disk."""
    workspace = context.workspace
    source = workspace.read_script(version)
    kept = workspace.read_record(CaptureRecord, "capture", version)
    if kept is not None and kept.script_sha256 == sha256_of(source):
        return kept.snapshot
    snapshot = capture_source(workspace, context.executor, version, source)
    keep(context, version, source, snapshot)
    return snapshot


def told_of(snapshot: Snapshot, num_valid: int | None) -> tuple[str, ...]:
    """What the user is to know of a training before it begins: choices, limits, and what no version can change.

    Args:
        snapshot: of the first version.
        num_valid: as stats.json has it.
    """
    told = list(snapshot.notes)
    if snapshot.overwritten:
        told.append(f"no version changes {held_by(snapshot.overwritten_by, snapshot.overwritten_by)}")
    size = None if snapshot.valid is None else snapshot.valid.size
    if num_valid is not None and size not in (None, num_valid):
        told.append(f"stats.json says num_valid {num_valid}, the validation loader that is measured has {size} samples")
    return tuple(told)


def keep(context: Context, version: str, source: str, snapshot: Snapshot) -> None:
    """Remember the Snapshot of exactly this source."""
    record = CaptureRecord(script_sha256=sha256_of(source), snapshot=snapshot)
    context.workspace.write_record(record, "capture", version)
