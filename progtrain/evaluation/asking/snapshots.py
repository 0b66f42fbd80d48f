"""What a version's script trains, as it was captured when the version was made, else captured now."""

from __future__ import annotations

import contextlib

from progtrain.evaluation.asking.isolation import Send, apart
from progtrain.records import Snapshot
from progtrain.script.capturing.capture import capture_fit
from progtrain.script.capturing.sandbox import scratch_view
from progtrain.step_records import CaptureRecord
from progtrain.workspace import Workspace, sha256_of


def snapshot_of(workspace: Workspace, version: str) -> Snapshot:
    """The Snapshot of a version's script as it stands on disk.

    Raises:
        EvaluationError: it has to be captured, and does not reach `Trainer.fit`.
    """
    source = workspace.read_script(version)
    kept = workspace.read_record(CaptureRecord, "capture", version)
    if kept is not None and kept.script_sha256 == sha256_of(source):
        return kept.snapshot
    (sent,) = apart(lambda send: _capture(workspace, version, source, send))
    return Snapshot.model_validate_json(sent)


def _capture(workspace: Workspace, version: str, source: str, send: Send) -> None:
    with scratch_view(workspace, version, source) as view, contextlib.chdir(view):
        send(capture_fit(view / workspace.script(version).name).snapshot.model_dump_json())
