"""What `progtrain inspect` says of any script: what it is about to train, its knobs, the actions that apply."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import JsonValue

from progtrain.errors import WorkspaceError
from progtrain.executors.local import LocalExecutor
from progtrain.layout import check_layout
from progtrain.records import Proposal, Record, Refusal, Snapshot
from progtrain.script.settings.knob_values import knob_values
from progtrain.steps.capturing import told_of
from progtrain.steps.exploring import explore
from progtrain.steps.offers import offers
from progtrain.workspace import BASELINE, Workspace


class FoundKnob(Record):
    """A knob as the source sets it."""

    name: str
    value: JsonValue
    line: int
    where: str
    why_not: str | None


class Inspection(Record):
    """Everything known of a script without training it."""

    script: str
    snapshot: Snapshot
    live: dict[str, JsonValue]
    knobs: tuple[FoundKnob, ...]
    applicable: tuple[Proposal, ...]
    not_applicable: tuple[Refusal, ...]

    def describe(self) -> str:
        """For people."""
        lines = [f"{self.script}: {self.snapshot.parameters:,} parameters", "", "about to train:"]
        lines += [f"  {name:18} {value}" for name, value in sorted(self.live.items()) if value not in (None, [], "")]
        lines += ["", "knobs in the source:"]
        lines += [
            f"  {knob.name:18} {knob.value!s:12} line {knob.line}: {knob.where}{_not_set(knob)}" for knob in self.knobs
        ]
        told = told_of(self.snapshot, None)
        lines += ["", "to be known:", *(f"  {line}" for line in told)] if told else []
        return "\n".join([*lines, "", self.describe_actions()])

    def describe_actions(self) -> str:
        """The catalogue in three parts: what applies, what the rules forbid, what does not fit."""
        locked = [refusal for refusal in self.not_applicable if refusal.by_rule]
        others = [refusal for refusal in self.not_applicable if not refusal.by_rule]
        lines = ["actions that apply:"]
        lines += [f"  {proposal.action:24} {proposal.change}" for proposal in self.applicable]
        lines += ["", "actions that the rules forbid:"]
        lines += [f"  {refusal.action:24} {refusal.reason}" for refusal in locked]
        lines += ["", "actions that do not fit:"]
        lines += [f"  {refusal.action:24} {refusal.reason}" for refusal in others]
        return "\n".join(lines)


def inspect_script(path: Path) -> Inspection:
    """Capture and read a script, and bind the catalogue to it.

    Args:
        path: a training script; its folder's rules bind.
    """
    workspace = Workspace(path.resolve().parent)
    check_layout(workspace)
    with LocalExecutor("fresh", workspace.state / "supervisor.log") as executor:
        explored = explore(path, executor)
    situation = explored.situation
    answers = offers(explored.rules, situation)
    return Inspection(
        script=path.name,
        snapshot=situation.snapshot,
        live=knob_values(situation.snapshot),
        knobs=tuple(
            FoundKnob(name=knob.name, value=knob.value, line=knob.line, where=knob.where, why_not=knob.why_not)
            for knob in situation.anatomy.occurrences
        ),
        applicable=tuple(answer for answer in answers if isinstance(answer, Proposal)),
        not_applicable=tuple(answer for answer in answers if isinstance(answer, Refusal)),
    )


def newest_script(workspace: Workspace) -> Path:
    """The script of the newest version; the baseline's where there is none.

    Raises:
        WorkspaceError: there is neither.
    """
    script = workspace.script((BASELINE, *workspace.versions())[-1])
    if not os.path.lexists(script):
        raise WorkspaceError(
            f"Expected a workspace with {script.name} or a versioned 02_train_v###.py, got {workspace.root}. "
            "Make one by `progtrain new`, or put your training script there under that name."
        )
    return script


def _not_set(knob: FoundKnob) -> str:
    return f" (cannot be set: {knob.why_not})" if knob.why_not else ""
