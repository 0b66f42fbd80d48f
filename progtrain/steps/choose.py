"""Step 4: bind the catalogue to the script, rank, and select the first proposal that passes the guard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from progtrain.actions import Situation
from progtrain.advisors import RankedProposal
from progtrain.errors import WorkspaceError
from progtrain.records import Deferred, Proposal, Refusal
from progtrain.reporting.action_extract import Probing, render_action_extract
from progtrain.script.auditing.settings import locks_on
from progtrain.script.editing.versioning import body, undo_edits
from progtrain.script.reading.anatomy import read_anatomy
from progtrain.step_records import AnalyzeRecord, Attempt, ChooseRecord
from progtrain.steps.capturing import captured, keep
from progtrain.steps.context import Context
from progtrain.steps.guard import Accepted, examine
from progtrain.steps.lineage import higher_is_better, history, next_parent, parent_of, without_effect_on
from progtrain.steps.offers import offers
from progtrain.steps.probes import Candidate, enough, probe
from progtrain.steps.range_testing import range_test, shown
from progtrain.steps.remember import remembered
from progtrain.steps.withdrawing import cause_elsewhere, was_withdrawn
from progtrain.workspace import Workspace, now, sha256_of, version_id, version_number, write_atomic


@dataclass(frozen=True)
class Choice:
    """What was selected, as the guard accepted it, and everything that was not."""

    selected: Proposal | None
    accepted: Accepted | None
    deferred: tuple[Deferred, ...]
    probing: Probing | None
    """The short trainings that it rests on; None where there were none."""
    reason: str = ""
    """The standing of what was selected, in the advisor's words; where nothing was, why not even tried."""


def choose(context: Context, version: str) -> None:
    """Write action-extract.md with exactly one selected action, or none where nothing may be applied."""
    workspace = context.workspace
    workspace.forget("choose", version)
    started_at = now()
    parent = next_parent(context, version)
    child = version_id(version_number(version) + 1)
    situation = situation_of(context, parent, version)
    tested = range_test(context, parent, situation)
    if tested is not None:
        rate = tested.peak if situation.snapshot.schedulers else tested.suggested
        situation = replace(situation, suggested_rate=rate, suggested_peak=tested.peak)
    choice = select(context, parent, child, situation)
    extract = workspace.artifacts(version) / "action-extract.md"
    page = render_action_extract(
        version,
        parent,
        child,
        choice.selected,
        choice.deferred,
        choice.probing,
        choice.reason,
        shown(tested, situation),
    )
    write_atomic(extract, page)
    if choice.accepted is not None:
        keep(context, child, choice.accepted.source, choice.accepted.snapshot)
    record = ChooseRecord(
        started_at=started_at,
        finished_at=now(),
        script_sha256=workspace.script_sha256(version),
        outputs=(workspace.relative(extract),),
        parent=parent,
        selected=choice.selected,
        child_sha256=None if choice.accepted is None else sha256_of(choice.accepted.source),
        deferred=choice.deferred,
        remark=choice.reason if choice.selected is None else "",
    )
    workspace.write_record(record, "choose", version)
    context.tracker.version_finished(version)


def situation_of(context: Context, parent: str, newest: str) -> Situation:
    """What the catalogue may look at when the next version is made from `parent`."""
    workspace = context.workspace
    analyzed = workspace.read_record(AnalyzeRecord, "analyze", parent)
    if analyzed is None:
        raise WorkspaceError(f"{parent} has not been analyzed; `progtrain analyze` does that step.")
    source, snapshot = body(workspace.read_script(parent)), captured(context, parent)
    grandparent = parent_of(context, parent)
    undo = None
    if grandparent is not None:
        undo = undo_edits(source, body(workspace.read_script(grandparent)))
    return Situation(
        anatomy=read_anatomy(source),
        snapshot=snapshot,
        findings=analyzed.findings,
        history=history(context, newest),
        locks=locks_on(snapshot, context.rules),
        undo=undo,
        higher_is_better=higher_is_better(context, parent),
        seed=context.rules.seed,
    )


def select(context: Context, parent: str, child: str, situation: Situation) -> Choice:
    """The best-ranked proposal that the guard accepts, or the best of several by their probes; why not the others."""
    answers = offers(context.rules, situation)
    refusals = [answer for answer in answers if isinstance(answer, Refusal)]
    proposals = [answer for answer in answers if isinstance(answer, Proposal)]
    ranked = context.advisor.rank(proposals, situation.findings, situation.history, remembered(context))
    deferred: list[Deferred] = []
    candidates: list[Candidate] = []
    elsewhere = cause_elsewhere(context.workspace, parent)
    for entry in ranked:
        if enough(context, candidates) or not entry.offered:
            deferred.append(_deferred(entry, entry.reason))
            continue
        in_vain = elsewhere or tried_in_vain(context.workspace, parent, situation.history, entry.proposal)
        if in_vain is not None:
            deferred.append(_deferred(entry, in_vain))
            continue
        verdict = examine(context, parent, situation.snapshot, child, entry.proposal)
        if isinstance(verdict, Accepted):
            candidates.append(Candidate(entry, verdict))
        else:
            deferred.append(_deferred(entry, f"held back by the guard: {verdict.reason}"))
    probed = probe(context, parent, child, candidates)
    others = [_deferred(each.entry, f"probed, see above; {each.entry.reason}") for each in probed.others]
    refused = [Deferred(action=refusal.action, change="", reason=refusal.reason) for refusal in refusals]
    taken, everything = probed.taken, (*others, *deferred, *refused)
    if taken is None:
        return Choice(None, None, everything, None, elsewhere or "")
    return Choice(taken.entry.proposal, taken.accepted, everything, probed.probing, taken.entry.reason)


def tried_in_vain(workspace: Workspace, parent: str, history: Sequence[Attempt], proposal: Proposal) -> str | None:
    """Why a change is not made of this parent once more: it could not be trained, or did nothing; else None."""
    without = without_effect_on(parent, history, proposal)
    return was_withdrawn(workspace, parent, proposal) if without is None else f"it was without effect in {without}"


def _deferred(entry: RankedProposal, reason: str) -> Deferred:
    return Deferred(action=entry.proposal.action, change=entry.proposal.change, reason=reason, score=entry.score)
