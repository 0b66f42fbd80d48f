"""The baseline audited: read first, then run, and known to leave what a training must before any training."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from progtrain.errors import CaptureError, ScriptError
from progtrain.records import Snapshot
from progtrain.script.auditing.audit import Audit, AuditFacts, Issue, audit, patch_to_run, smoke_test_batch_size
from progtrain.script.editing.versioning import set_constant
from progtrain.steps.capturing import capture_source
from progtrain.steps.context import Context
from progtrain.steps.repairing import made_to_run
from progtrain.workspace import BASELINE

FIRST: Final = "v001"
_SETTINGS: Final = re.compile(r"^(fit|trainer|model|data):", re.MULTILINE)
"""Of a file for LightningCLI."""
_TO_NO_EFFECT: Final = "patched to no effect: {}; write it as docs/training-script.md has it"


@dataclass(frozen=True)
class Baseline:
    """The baseline after its audit.

    Args:
        audit: what was found, and the patched script.
        first: v001's script, which is the patched one with VERSION set.
        snapshot: what v001 is about to train.
    """

    audit: Audit
    first: str
    snapshot: Snapshot


def prepare_baseline(context: Context, source: str, dataset_id: str) -> Baseline:
    """Audit a baseline; nothing is written.

    It is run as v001: what it then writes elsewhere does not follow VERSION.

    Args:
        context: the opened workspace.
        source: the baseline script.
        dataset_id: of the data set that the loop is locked to.

    Raises:
        CaptureError: it does not reach `Trainer.fit`, patched or not.
        ScriptError: something that a training must leave is missing, and cannot be added; or it is not Python.
        EditError: as ScriptError.
    """
    report = context.workspace.artifacts(BASELINE) / "_tests" / "baseline_smoke_test_report.md"
    facts = AuditFacts(
        dataset_id=dataset_id,
        folder=FIRST,
        batch_size=smoke_test_batch_size(report),
        rules=context.rules,
        configurations=_configurations(context.workspace.root),
    )
    running = made_to_run(context, source, lambda each: _captured(context, source, patch_to_run(each, facts)))
    snapshot = running.snapshot
    audited = audit(running.source, snapshot, facts)
    audited = replace(audited, issues=(*running.issues, *audited.issues))
    _refuse(context, [issue for issue in audited.issues if issue.needed and not issue.patched])
    first = set_constant(audited.source, "VERSION", FIRST)
    if audited.source != patch_to_run(running.source, facts):
        snapshot = _captured(context, source, audited.source)
        again = [issue for issue in audit(first, snapshot, facts).issues if issue.needed]
        _refuse(context, [replace(each, line=None, remedy=_TO_NO_EFFECT.format(each.remedy)) for each in again])
    return Baseline(audited, first, snapshot)


def _captured(context: Context, source: str, patched: str) -> Snapshot:
    """The Snapshot of the patched script as v001; an error says whether it is the patch that keeps it from running."""
    name, first = context.workspace.baseline_script.name, context.workspace.script(FIRST).name
    try:
        return capture_source(context.workspace, context.executor, FIRST, set_constant(patched, "VERSION", FIRST))
    except CaptureError as error:
        failed = str(error).replace(first, name)
    if patched == source:
        raise CaptureError(failed)
    try:
        capture_source(context.workspace, context.executor, BASELINE, source)
    except CaptureError as error:
        if _without_lines(str(error)) == _without_lines(failed):
            raise  # the same, with the line as the user counts it
        raise CaptureError(f"{failed} (lines of the patched script). Before the patch: {error}") from error
    raise CaptureError(
        f"{name} reaches Trainer.fit as it is, but not once it is patched: {failed} Nothing was written. "
        "Write DATASET_ID, VERSION and the paths that derive from them as docs/training-script.md has them."
    )


def _configurations(root: Path) -> tuple[str, ...]:
    files = sorted(path for path in root.glob("*.y*ml") if path.suffix in (".yaml", ".yml") and path.is_file())
    return tuple(path.name for path in files if _SETTINGS.search(path.read_text(encoding="utf-8", errors="replace")))


def _without_lines(message: str) -> str:
    """Apart from where: neither the line nor the log."""
    return re.sub(r"\bline \d+|The log is .*", "", message)


def _refuse(context: Context, missing: list[Issue]) -> None:
    if missing:
        named = "; ".join(f"{_place(issue)}{issue.message} ({issue.remedy})" for issue in missing)
        raise ScriptError(
            f"{context.workspace.baseline_script.name} is not trained, its training would be thrown away. {named}."
        )


def _place(issue: Issue) -> str:
    return "" if issue.line is None else f"Line {issue.line}: "
