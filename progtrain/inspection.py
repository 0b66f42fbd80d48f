"""What `progtrain inspect` says of any script: what it is about to train, its knobs, the actions that apply."""

from __future__ import annotations

from pathlib import Path

from pydantic import JsonValue

from progtrain.actions import Situation, catalogue
from progtrain.executors.local import LocalExecutor
from progtrain.records import Proposal, Record, Refusal, Snapshot
from progtrain.rules import read_rules
from progtrain.script.anatomy import read_anatomy
from progtrain.script.knob_values import knob_values
from progtrain.script.versioning import body
from progtrain.steps.capturing import capture_source
from progtrain.workspace import Workspace


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
        lines += ["", "actions that apply:"]
        lines += [f"  {proposal.action:24} {proposal.change}" for proposal in self.applicable]
        lines += ["", "actions that do not:"]
        lines += [f"  {refusal.action:24} {refusal.reason}" for refusal in self.not_applicable]
        return "\n".join(lines)


def inspect_script(path: Path) -> Inspection:
    """Capture and read a script, and bind the catalogue to it.

    Args:
        path: a training script; its folder's rules bind.
    """
    workspace = Workspace(path.resolve().parent)
    source = path.read_text(encoding="utf-8")
    rules = read_rules(workspace.root)
    with LocalExecutor("fresh", workspace.state / "supervisor.log") as executor:
        snapshot = capture_source(workspace, executor, path.stem.removeprefix("02_train_"), source)
    anatomy = read_anatomy(body(source))
    situation = Situation(
        anatomy=anatomy, snapshot=snapshot, findings=(), history=(), locks=rules.locks, exploring=True
    )
    answers = [action.propose(situation) for action in catalogue().values()]
    return Inspection(
        script=path.name,
        snapshot=snapshot,
        live=knob_values(snapshot),
        knobs=tuple(
            FoundKnob(name=knob.name, value=knob.value, line=knob.line, where=knob.where, why_not=knob.why_not)
            for knob in anatomy.occurrences
        ),
        applicable=tuple(answer for answer in answers if isinstance(answer, Proposal)),
        not_applicable=tuple(answer for answer in answers if isinstance(answer, Refusal)),
    )


def _not_set(knob: FoundKnob) -> str:
    return f" (cannot be set: {knob.why_not})" if knob.why_not else ""
