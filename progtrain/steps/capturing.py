"""The Snapshot of a script, captured in a child process and kept by the script's hash."""

from __future__ import annotations

from progtrain.errors import CaptureError
from progtrain.executors import Executor, Job
from progtrain.records import Snapshot
from progtrain.script.capturing.sandbox import scratch_view
from progtrain.script.reading.index import parse
from progtrain.step_records import CaptureRecord
from progtrain.steps.context import Context
from progtrain.steps.failure import summarise
from progtrain.steps.seal import Seal
from progtrain.workspace import Workspace, sha256_of

CAPTURE_TIME_LIMIT = 600.0
"""Seconds; a script that reads a large data set before fit needs some, one that hangs must not hold the loop."""


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
        outcome = executor.run(Job(arguments, folder, log, CAPTURE_TIME_LIMIT))
        seal.hold_records()
        seal.hold_users_files()
        if not outcome.succeeded or not output.is_file():
            raise CaptureError(f"{script} did not reach Trainer.fit: {summarise(outcome, log)}. The log is {log}.")
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


def keep(context: Context, version: str, source: str, snapshot: Snapshot) -> None:
    """Remember the Snapshot of exactly this source."""
    record = CaptureRecord(script_sha256=sha256_of(source), snapshot=snapshot)
    context.workspace.write_record(record, "capture", version)
