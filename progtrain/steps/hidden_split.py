"""For Step 7: the best version and the first are scored on the hidden test split, once."""

from __future__ import annotations

from progtrain.executors import Job
from progtrain.reporting.hidden_split import RECORD
from progtrain.step_records import HiddenRecord, HiddenScore
from progtrain.steps.capturing import evaluation_time_limit
from progtrain.steps.context import Context
from progtrain.steps.failure import said
from progtrain.workspace import now, version_id

_FIRST = version_id(1)


def score_hidden_split(context: Context, best: str) -> None:
    """Score v001 and the best on test/, where the prepared data has it; what is scored already is not opened again.

    Args:
        context: of a loop that has ended.
        best: the version that is going to be promoted.
    """
    if not (context.workspace.prepdata(context.loop.dataset_id) / "test").is_dir():
        return
    for version in dict.fromkeys((_FIRST, best)):
        made = context.workspace.read_record(HiddenRecord, RECORD, version)
        of_this = made is not None and made.script_sha256 == context.workspace.script_sha256(version)
        if made is None or not of_this or made.measured is None:
            record = _scored(context, version)
            context.workspace.write_record(record, RECORD, version)
            if record.reason is not None:
                context.say(f"warning: {version} has no score on the test split: {record.reason}")


def _scored(context: Context, version: str) -> HiddenRecord:
    workspace, result = context.workspace, f"{RECORD}.measured"
    output, log = workspace.record_path(result, version), workspace.log(version, RECORD)
    output.unlink(missing_ok=True)
    arguments = ("-m", "progtrain.evaluation.hidden_split", version, "--output", str(output))
    outcome = context.executor.run(Job(arguments, workspace.root, log, evaluation_time_limit(workspace)))
    measured = workspace.read_record(HiddenScore, result, version)
    output.unlink(missing_ok=True)
    failed = not outcome.succeeded or measured is None
    return HiddenRecord(
        version=version,
        script_sha256=workspace.script_sha256(version),
        finished_at=now(),
        measured=None if failed else measured,
        reason=said(outcome, log) if failed else None,
    )
