"""What an action is: one entry of the catalogue, bound to a script by `propose`, carried out by `apply`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from pydantic import JsonValue

from progtrain.errors import EditError
from progtrain.records import Finding, Proposal, Refusal, Risk, Snapshot
from progtrain.script.reading.anatomy import Anatomy
from progtrain.step_records import Attempt


@dataclass(frozen=True)
class Situation:
    """All that an action may look at.

    Args:
        anatomy: the parent script (header taken off), its knobs and where each is set.
        snapshot: what the parent trained.
        findings: what was diagnosed, most severe first.
        history: every version so far, oldest first; the last one is the parent's own.
        locks: canonical knob -> the user's rule that holds it, in words.
        undo: the edits that turn the parent back into its own parent, or None for a first version.
        higher_is_better: of `primary` in the history.
        seed: the rules', of whatever an action draws.
        suggested_rate: what a learning-rate range test of the parent suggests; None where it does not, or none was run.
        suggested_peak: what it suggests as the peak of a schedule.
    """

    anatomy: Anatomy
    snapshot: Snapshot
    findings: tuple[Finding, ...]
    history: tuple[Attempt, ...]
    locks: Mapping[str, str]
    undo: tuple[JsonValue, ...] | None = None
    higher_is_better: bool = True
    seed: int = 42
    suggested_rate: float | None = None
    suggested_peak: float | None = None

    def finding(self, *names: str) -> Finding | None:
        """The first finding that goes by one of these names, most severe first."""
        return next((finding for finding in self.findings if finding.name in names), None)

    def answered(self, *names: str) -> str:
        """The most severe finding of these names; the first name where none of them was made."""
        found = self.finding(*names)
        return names[0] if found is None else found.name


class Action(ABC):
    """One improvement; one a file, named as its file is.

    Attributes:
        family: of `progtrain.knobs.FAMILY`'s families.
        touches: the canonical knobs that may differ in the child's Snapshot, and no others.
        answers: names of the findings that ask for it.
        risk: that it does harm.
        probability: that it helps where a finding asks for it (global prior, playbook).
        gain: share of what is left to gain, if it helps (global prior, playbook).
    """

    name: ClassVar[str]
    family: ClassVar[str]
    touches: ClassVar[frozenset[str]]
    answers: ClassVar[tuple[str, ...]]
    risk: ClassVar[Risk]
    probability: ClassVar[float]
    gain: ClassVar[float]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.name = cls.__module__.rpartition(".")[2]

    @abstractmethod
    def propose(self, situation: Situation) -> Proposal | Refusal:
        """Bind to this script, or say why there is nothing to offer. Never raises for a script it cannot handle."""

    @abstractmethod
    def apply(self, source: str, parameters: Mapping[str, JsonValue]) -> str:
        """The child's source: pure, deterministic, layout and comments outside the edit untouched.

        Raises:
            EditError: the edit cannot be made here, or would change nothing.
        """

    def refuse(self, reason: str, by_rule: bool = False) -> Refusal:
        """A Refusal in this action's name; `by_rule` where the user forbids what the action would do."""
        return Refusal(action=self.name, reason=reason, by_rule=by_rule)


def changed(before: str, after: str, action: str) -> str:
    """`after`, unless it is the same as `before`.

    Raises:
        EditError: nothing changed.
    """
    if before == after:
        raise EditError(f"{action} changed nothing in this script. It is already applied, or its place is gone.")
    return after
