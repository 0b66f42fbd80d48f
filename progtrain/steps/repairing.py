"""A script that fails in a known way is repaired: before anything is trained, and after a training that failed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from progtrain.errors import CaptureError
from progtrain.records import Snapshot
from progtrain.repairs import Failure, Mended, mended
from progtrain.script.auditing.audit import Issue
from progtrain.script.auditing.settings import locks_on
from progtrain.script.settings.knob_values import differing, knob_values
from progtrain.step_records import AuthorRecord
from progtrain.steps.capturing import capture_source, keep
from progtrain.steps.context import Context
from progtrain.steps.failure import without_place
from progtrain.workspace import sha256_of, write_atomic

_MOST: Final = 5
"""Repairs of one script; what fails in more ways than that is for a person."""
_TAIL: Final = 8000
"""Characters of a log's end in which a failure is looked for."""


@dataclass(frozen=True)
class MadeToRun:
    """A script after the repairs without which it would not run.

    Args:
        source: of the script.
        snapshot: what it is about to train.
        issues: what was repaired.
    """

    source: str
    snapshot: Snapshot
    issues: tuple[Issue, ...]


def made_to_run(context: Context, source: str, capture: Callable[[str], Snapshot]) -> MadeToRun:
    """Capture a baseline, and repair what it fails with, as far as that is known.

    Args:
        context: the opened workspace.
        source: of the baseline.
        capture: of such a source.

    Raises:
        CaptureError: it does not reach `Trainer.fit`, and nothing known makes it.
    """
    issues: list[Issue] = []
    while True:
        try:
            snapshot, failed = capture(source), None
            failure = _seen_to_fail(snapshot)
        except CaptureError as error:
            failed, failure = error, Failure(str(error))
        found = None if failure is None or len(issues) == _MOST else _first(context, source, failure, issues)
        if found is None:
            if failed is not None:
                raise failed
            return MadeToRun(source, snapshot, tuple(issues))
        source = found.source
        issues.append(Issue(found.cause, None, f"{found.repair}: {found.change}", needed=True))


def repaired(context: Context, version: str, snapshot: Snapshot, failure: str, log: Path) -> Mended | None:
    """Repair a version whose training failed: the script on disk, and its records.

    Args:
        context: the opened workspace.
        version: that failed.
        snapshot: what was trained.
        failure: in one line.
        log: of the training.

    Returns:
        What was repaired; None where nothing known mends it.
    """
    workspace = context.workspace
    said = log.read_text(encoding="utf-8", errors="replace")[-_TAIL:] if log.exists() else ""
    source = workspace.read_script(version)
    known = Failure(f"{said}\n{failure}", knob_values(snapshot))
    for found in mended(source, known, locks_on(snapshot, context.rules)):
        try:
            child = capture_source(workspace, context.executor, version, found.source)
        except CaptureError:
            continue
        if _seen_to_fail(child) is not None or not _changes_only(snapshot, child, found):
            continue
        author = workspace.read_record(AuthorRecord, "author", version)
        write_atomic(workspace.script(version), found.source)
        keep(context, version, found.source, child)
        if author is not None and author.script_sha256 == sha256_of(source):
            mine = author.model_copy(update={"script_sha256": sha256_of(found.source)})
            workspace.write_record(mine, "author", version)
        return found
    return None


def _first(context: Context, source: str, failure: Failure, issues: list[Issue]) -> Mended | None:
    """The first repair that was not made yet for this."""
    made = {issue.remedy for issue in issues}
    candidates = mended(source, failure, context.rules.lock_reasons)
    return next((each for each in candidates if f"{each.repair}: {each.change}" not in made), None)


def _seen_to_fail(snapshot: Snapshot) -> Failure | None:
    text = snapshot.step_failure or snapshot.breakdown
    return None if text is None else Failure(without_place(str(text)), knob_values(snapshot))


def _changes_only(before: Snapshot, after: Snapshot, found: Mended) -> bool:
    """Whether nothing else is trained, and the same is validated on."""
    fingerprints = [None if each.valid is None else each.valid.fingerprint for each in (before, after)]
    return fingerprints[0] == fingerprints[1] and differing(before, after) <= found.touches
