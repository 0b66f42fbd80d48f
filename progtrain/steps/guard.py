"""What stands between a proposal and a version: the rules, replay, and what the child is about to train."""

from __future__ import annotations

import libcst as cst

from progtrain.actions import action_named
from progtrain.errors import CaptureError, EditError
from progtrain.records import Proposal, Record, Snapshot
from progtrain.rules import Rules, held_by
from progtrain.script.auditing.settings import locks_on, wishes
from progtrain.script.editing.versioning import Header, body, get_constant, set_constant, with_header
from progtrain.script.settings.knob_values import differing
from progtrain.step_records import TAKING_BACK, TrainRecord
from progtrain.steps.capturing import capture_source
from progtrain.steps.context import Context
from progtrain.workspace import Workspace, version_number

EVALUATION_OUTPUTS = ("eval_score", "infer_samples")


class Accepted(Record):
    """A child that passed."""

    source: str
    snapshot: Snapshot


class Rejected(Record):
    """Why a child did not pass."""

    reason: str


def examine(
    context: Context, parent: str, parent_snapshot: Snapshot, child: str, proposal: Proposal
) -> Accepted | Rejected:
    """Make the child's script and hold it against everything a version must keep.

    Args:
        context: the opened workspace.
        parent: version the proposal was bound to.
        parent_snapshot: what the parent trained.
        child: id of the version to be.
        proposal: the one change.
    """
    forbidden = context.rules.constraints.forbids(proposal.action)
    locked = held_by(proposal.touches, locks_on(parent_snapshot, context.rules))
    if forbidden or locked:
        return Rejected(reason=forbidden or f"touches what the rules hold: {locked}")
    before = body(context.workspace.read_script(parent))
    try:
        source = child_source(before, parent, child, proposal)
        replayed = child_source(before, parent, child, proposal)
    except EditError as error:
        return Rejected(reason=str(error))
    if source != replayed:
        return Rejected(reason="applying it twice to the same script gave two different scripts")
    broken = _breaks_contract(before, body(source), context.loop.dataset_id)
    if broken is not None:
        return Rejected(reason=broken)
    try:
        snapshot = capture_source(context.workspace, context.executor, child, source)
    except CaptureError as error:
        return Rejected(reason=str(error))
    broken = (
        would_fail(parent_snapshot, snapshot)
        or differs_wrongly(context.rules, parent_snapshot, snapshot, proposal)
        or _once_more(context.workspace, child, snapshot, proposal)
    )
    return Rejected(reason=broken) if broken is not None else Accepted(source=source, snapshot=snapshot)


def child_source(parent_body: str, parent: str, child: str, proposal: Proposal) -> str:
    """The child's script: the action's edit, VERSION, and the header; a pure function of its arguments.

    Raises:
        EditError: the action cannot be applied.
    """
    edited = action_named(proposal.action).apply(parent_body, proposal.parameters)
    header = Header(
        version=child,
        parent=parent,
        action=proposal.action,
        goal=proposal.goal,
        change=proposal.change,
        expected=proposal.expected_impact,
    )
    return with_header(set_constant(edited, "VERSION", child), header)


def _breaks_contract(before: str, after: str, dataset_id: str) -> str | None:
    try:
        compile(after, "<child>", "exec")
    except SyntaxError as error:
        return f"the edited script does not compile: {error}"
    if get_constant(after, "DATASET_ID") != dataset_id:
        return f"DATASET_ID would no longer be {dataset_id!r}"
    new_strings = set(_strings(after)) - set(_strings(before))
    written = [text for text in new_strings if any(name in text for name in EVALUATION_OUTPUTS)]
    if written:
        return f"names the evaluation's outputs: {written}"
    paths = [text for text in new_strings if "prepdata" in text]
    return f"changes a data path: {paths}" if paths else None


def would_fail(before: Snapshot, after: Snapshot) -> str | None:
    """What the child is seen to fail with, and the parent was not; None where it is not seen to fail.

    Args:
        before: what the parent trained.
        after: what the child is about to train.
    """
    if after.step_failure is not None and before.step_failure is None:
        return f"its first training step would fail: {after.step_failure}"
    if after.breakdown is not None and before.breakdown is None:
        return f"would fail in training: {after.breakdown}"
    return None


def differs_wrongly(rules: Rules, before: Snapshot, after: Snapshot, proposal: Proposal) -> str | None:
    """What of the child's Snapshot the rules or the action's own word do not allow; None where all is well.

    Args:
        rules: the user's.
        before: what the parent trained.
        after: what the child is about to train.
        proposal: the one change between them.
    """
    first, second = before.valid, after.valid
    if (first and first.size) != (second and second.size):
        return "the validation set would have another size"
    if (first and first.fingerprint) != (second and second.fingerprint):
        return "the validation samples or targets would be other ones"
    if None not in (before.measured, after.measured) and before.measured != after.measured:
        return f"validation would measure by {_listed(after.measured)}, and not by {_listed(before.measured)} as before"
    different = differing(before, after)
    if not different:
        return "nothing of what is about to be trained would change: the edited place is not used"
    undeclared = sorted(different - set(proposal.touches))
    if undeclared:
        return f"would change {', '.join(undeclared)} too, beside {', '.join(sorted(proposal.touches))}"
    held = held_by(different, locks_on(before, rules))
    if held:
        return f"would move what the rules hold: {held}"
    left = {wish.knob for wish in wishes(after, rules)}
    other = [wish for wish in wishes(before, rules) if wish.knob in different & left]
    if other:
        return f"would set {other[0].knob} otherwise than asked for ({other[0].rule})"
    limit = rules.constraints.max_parameters
    if limit is not None and after.parameters > limit:
        return f"would have {after.parameters:,} parameters; constraints.max_parameters allows {limit:,}"
    return None


def _listed(losses: tuple[str, ...] | None) -> str:
    return ", ".join(losses or ()) or "no loss"


def _once_more(workspace: Workspace, child: str, snapshot: Snapshot, proposal: Proposal) -> str | None:
    """Which earlier version would be trained over again; only `take_back` is meant to lead back to one."""
    if proposal.action == TAKING_BACK:
        return None
    for version in workspace.versions():
        trained = workspace.read_record(TrainRecord, "train", version)
        earlier = version_number(version) < version_number(child)
        if earlier and trained is not None and not differing(trained.snapshot, snapshot):
            return f"would train {version} over again"
    return None


def _strings(source: str) -> list[str]:
    collector = _StringCollector()
    cst.parse_module(source).visit(collector)
    return collector.found


class _StringCollector(cst.CSTVisitor):
    def __init__(self) -> None:
        self.found: list[str] = []

    def visit_SimpleString(self, node: cst.SimpleString) -> None:
        self.found.append(node.value)

    def visit_FormattedStringText(self, node: cst.FormattedStringText) -> None:
        self.found.append(node.value)
