"""For Step 7: every model in Models/external is measured by the metrics of the versions, each at its own risk."""

from __future__ import annotations

import hashlib

from progtrain.evaluation.yardstick.protocol import RECORD as PROTOCOL
from progtrain.executors import Job
from progtrain.step_records import ExternalRecord, ExternalScore, external_name
from progtrain.steps.context import Context
from progtrain.steps.failure import summarise
from progtrain.workspace import Workspace, now

TIME_LIMIT = 1800.0
"""Seconds that one model may take, loading and all samples included."""
_JOBS = "progtrain.evaluation.external"


def measure_external(context: Context, time_limit: float = TIME_LIMIT) -> None:
    """Measure what is new or has changed; what cannot be measured keeps the reason, and costs nothing else.

    Args:
        context: of the loop.
        time_limit: seconds for one model.
    """
    workspace = context.workspace
    due = [name for name in workspace.external_names() if not _is_measured(workspace, name)]
    if not due:
        return
    log = workspace.state / "external" / "inputs.log"
    written = context.executor.run(Job(("-m", f"{_JOBS}.inputs"), workspace.root, log, TIME_LIMIT))
    lacking = None if written.succeeded else f"the validation inputs could not be written: {summarise(written, log)}"
    # One after another: side by side they would measure each other's latency.
    for name in due:
        record = _record(workspace, name, None, lacking) if lacking else _measured(context, name, time_limit)
        workspace.write_record(record, external_name(name))
        if record.reason is not None:
            context.say(f"warning: {name} could not be measured: {record.reason}")


def _measured(context: Context, name: str, time_limit: float) -> ExternalRecord:
    workspace, result = context.workspace, f"{external_name(name)}.measured"
    output, log = workspace.record_path(result), workspace.state / "external" / f"{name}.log"
    output.unlink(missing_ok=True)
    arguments = ("-m", f"{_JOBS}.measure", name, "--output", str(output))
    outcome = context.executor.run(Job(arguments, workspace.root, log, time_limit))
    measured = workspace.read_record(ExternalScore, result)
    output.unlink(missing_ok=True)
    if not outcome.succeeded or measured is None:
        return _record(workspace, name, None, summarise(outcome, log))
    return _record(workspace, name, measured, None)


def _record(workspace: Workspace, name: str, measured: ExternalScore | None, reason: str | None) -> ExternalRecord:
    fingerprint = _fingerprint(workspace, name)
    return ExternalRecord(name=name, fingerprint=fingerprint, finished_at=now(), measured=measured, reason=reason)


def _is_measured(workspace: Workspace, name: str) -> bool:
    record = workspace.read_record(ExternalRecord, external_name(name))
    return record is not None and record.measured is not None and record.fingerprint == _fingerprint(workspace, name)


def _fingerprint(workspace: Workspace, name: str) -> str:
    """Over sizes and times of the model's files, and over the protocol."""
    folder, digest = workspace.external / name, hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts):
        stat = path.stat()
        digest.update(f"{path.relative_to(folder).as_posix()} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    protocol = workspace.record_path(PROTOCOL)
    digest.update(protocol.read_bytes() if protocol.is_file() else b"")
    return digest.hexdigest()
