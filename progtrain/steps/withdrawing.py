"""A change of progtrain's own that cannot be trained is withdrawn: the same version is made anew from the next best."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from progtrain.errors import EvaluationError, ProtocolChangedError, TrainingFailedError, UnknownNameError
from progtrain.records import Proposal
from progtrain.reporting.retries import TrainAttempt, render_retry_report
from progtrain.step_records import AuthorRecord, EvaluateRecord, TrainRecord, WithdrawnRecord, withdrawn_name
from progtrain.steps.context import Context
from progtrain.steps.failure import may_pass, without_place
from progtrain.workspace import Workspace, now, version_id, version_number, write_atomic

ALIKE: Final = 3
"""So many changes that fail with the same error, and have no knob in common, are not to blame for it."""
_SEND_SECONDS: Final = 20.0
"""How long the failed script waits to be sent to MLflow before it makes room."""
_OF_THE_VERSION: Final = ("capture", "train", "evaluate", "analyze", "choose")


def authored(workspace: Workspace, version: str) -> AuthorRecord | None:
    """Where a version came from, if it is its parent with one change of progtrain's own, and nothing edited by hand."""
    author = workspace.read_record(AuthorRecord, "author", version)
    if author is None or author.parent is None or author.script_sha256 != workspace.script_sha256(version):
        return None
    return author


def withdraw(context: Context, version: str, error: TrainingFailedError | EvaluationError, began: datetime) -> bool:
    """Withdraw the change that the newest version was made by, if that is why it cannot be trained or measured.

    Args:
        context: the opened workspace.
        version: that failed.
        error: with which it did.
        began: when its training began.

    Returns:
        Whether the change was withdrawn; if not, the error is one for the person.
    """
    workspace, author = context.workspace, authored(context.workspace, version)
    if author is None or author.parent is None or not _is_the_changes_own(workspace, version, error):
        return False
    failures = error.failures if isinstance(error, TrainingFailedError) else (str(error),)
    context.tracker.version_failed(version, failures[-1])
    context.tracker.drain(_SEND_SECONDS)
    record = WithdrawnRecord(
        started_at=began,
        finished_at=now(),
        script_sha256=workspace.script_sha256(author.parent),
        number=1 + sum(1 for _ in _numbered(workspace, author.parent)),
        version=version,
        action=author.action,
        parameters=author.parameters,
        touches=author.touches,
        failures=failures,
    )
    workspace.write_record(record, withdrawn_name(record.number), author.parent)
    context.say(f"{version}: {author.action} is withdrawn, the next best change takes its place: {failures[-1]}")
    return set_aside(context, version)


def set_aside(context: Context, version: str) -> bool:
    """Make room for another change in the place of one that was withdrawn, or that the rules forbid by now.

    Killed in between and called again, it goes on.

    Returns:
        Whether there was something to set aside.
    """
    workspace, author = context.workspace, authored(context.workspace, version)
    if author is None or not (_is_withdrawn(workspace, author) or _is_forbidden(context, author)):
        return False
    workspace.forget("choose", version_id(version_number(version) - 1))
    for name in _OF_THE_VERSION:
        workspace.forget(name, version)
    shutil.rmtree(workspace.artifacts(version), ignore_errors=True)
    keep_attempts(workspace, version, former_attempts(workspace, version))
    # The script before its record: a script without its record would pass for one written by hand.
    workspace.script(version).unlink()
    workspace.forget("author", version)
    return True


def former_attempts(workspace: Workspace, version: str) -> tuple[TrainAttempt, ...]:
    """The attempts at this version with changes that were withdrawn, oldest first."""
    attempts: list[TrainAttempt] = []
    for parent in workspace.versions():
        for record in _numbered(workspace, parent):
            for failure in record.failures if record.version == version else ():
                change = in_place_of(attempts, record.action)
                attempts.append(TrainAttempt(len(attempts) + 1, failure, change, record.action))
    return tuple(attempts)


def in_place_of(former: Sequence[TrainAttempt], action: str) -> str:
    """What the script of an attempt has in another place than that of the attempt before, in words."""
    last = former[-1].action if former else action
    return "none" if last == action else f"{last} is withdrawn, {action} takes its place"


def keep_attempts(workspace: Workspace, version: str, attempts: Sequence[TrainAttempt]) -> None:
    """Write train_retry_report.md, where there was anything but one attempt that went well."""
    if len(attempts) > 1 or any(attempt.error is not None for attempt in attempts):
        report = workspace.artifacts(version) / "_tests" / "train_retry_report.md"
        write_atomic(report, render_retry_report(version, attempts))


def was_withdrawn(workspace: Workspace, parent: str, proposal: Proposal) -> str | None:
    """Why a change is not to be made of this parent again; None where it was never withdrawn there."""
    for record in _of_this_script(workspace, parent):
        if record.action == proposal.action and {*record.touches} == {*proposal.touches}:
            return f"it was withdrawn: {record.failures[-1]}"
    return None


def cause_elsewhere(workspace: Workspace, parent: str) -> str | None:
    """Why no further change is tried: the last ones failed alike. None where they did not."""
    last = _of_this_script(workspace, parent)[-ALIKE:]
    failures = {without_place(record.failures[-1]) for record in last}
    if len(last) < ALIKE or len(failures) > 1 or frozenset.intersection(*(frozenset(each.touches) for each in last)):
        return None
    return (
        f"{ALIKE} unrelated changes of {parent} failed alike, so that the cause lies elsewhere: {failures.pop()}. "
        "Mend that, and let `progtrain run --retrain` begin anew from there"
    )


def forget_withdrawn(workspace: Workspace, parent: str) -> None:
    """Let everything be tried again of a version that is itself trained anew."""
    for record in reversed([*_numbered(workspace, parent)]):
        workspace.forget(withdrawn_name(record.number), parent)


def _is_the_changes_own(workspace: Workspace, version: str, error: TrainingFailedError | EvaluationError) -> bool:
    """Whether a failure of a newest version, not measured yet, may be laid to its change."""
    if isinstance(error, ProtocolChangedError | UnknownNameError):
        return False
    if isinstance(error, EvaluationError) and may_pass(str(error)):
        return False
    is_measured = workspace.read_record(EvaluateRecord, "evaluate", version) is not None
    return version == workspace.versions()[-1] and not is_measured


def _is_withdrawn(workspace: Workspace, author: AuthorRecord) -> bool:
    made = author.version, author.action, author.parameters
    known = [] if author.parent is None else _of_this_script(workspace, author.parent)
    return any((record.version, record.action, record.parameters) == made for record in known)


def _is_forbidden(context: Context, author: AuthorRecord) -> bool:
    trained = context.workspace.read_record(TrainRecord, "train", author.version)
    return trained is None and context.rules.constraints.forbids(author.action) is not None


def _of_this_script(workspace: Workspace, parent: str) -> list[WithdrawnRecord]:
    sha256 = workspace.script_sha256(parent)
    return [record for record in _numbered(workspace, parent) if record.script_sha256 == sha256]


def _numbered(workspace: Workspace, parent: str) -> Iterator[WithdrawnRecord]:
    return workspace.read_numbered(WithdrawnRecord, withdrawn_name, parent)
