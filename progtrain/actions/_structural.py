"""What the actions that rewrite structure have in common: an edit that fits, or the reason why it does not."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from itertools import zip_longest
from typing import ClassVar

from pydantic import JsonValue

from progtrain.actions.base import Action, Situation
from progtrain.errors import EditError
from progtrain.records import OptimizerSettings, Proposal, Refusal, Snapshot
from progtrain.rules import held_by
from progtrain.script.settings.duration import optimizer_steps


@dataclass(frozen=True)
class Binding:
    """An action bound to one script.

    Args:
        parameters: that replay it.
        change: what is done, in words.
        touches: the canonical knobs that will differ.
    """

    parameters: dict[str, JsonValue]
    change: str
    touches: frozenset[str]


class StructuralAction(Action):
    """An action whose `apply` finds its own place, and says in an EditError why there is none.

    Attributes:
        goal: what it is for.
        expected_impact: what the next curves should show.
        verification: how to see whether it worked.
    """

    goal: ClassVar[str]
    expected_impact: ClassVar[str]
    verification: ClassVar[str]

    @abstractmethod
    def bind(self, situation: Situation) -> Binding:
        """The parameters for this script.

        Raises:
            EditError: it is there already, or what is live does not allow it.
        """

    def propose(self, situation: Situation) -> Proposal | Refusal:
        """See Action."""
        source = situation.anatomy.source
        try:
            binding = self.bind(situation)
            elsewhere = held_by(binding.touches, situation.snapshot.overwritten_by)
            if elsewhere:
                return self.refuse(f"it would be without effect on {elsewhere}")
            held = held_by(binding.touches, situation.locks)
            if held:
                return self.refuse(f"the rules hold {held}", by_rule=True)
            child = self.apply(source, binding.parameters)
        except EditError as error:
            return self.refuse(str(error))
        return Proposal(
            action=self.name,
            family=self.family,
            answers=situation.answered(*self.answers),
            parameters=binding.parameters,
            touches=tuple(sorted(binding.touches)),
            goal=self.goal,
            change=binding.change,
            where=_first_difference(source, child),
            expected_impact=self.expected_impact,
            risk=self.risk,
            verification=self.verification,
            probability=self.probability,
            gain=self.gain,
        )


def one_optimizer(situation: Situation) -> OptimizerSettings:
    """The script's one optimizer; where it has several parameter groups, they differ in weight decay alone.

    Raises:
        EditError: it optimizes by hand, or with several optimizers, or with groups that are treated differently.
    """
    snapshot = situation.snapshot
    if not snapshot.automatic_optimization:
        raise EditError("The script optimizes by hand (automatic_optimization is False). Change it there.")
    if len(snapshot.optimizers) != 1:
        raise EditError(f"Expected one optimizer, got {len(snapshot.optimizers)}. Change them by hand.")
    groups = [
        {key: value for key, value in group.items() if key not in ("weight_decay", "parameters")}
        for group in snapshot.optimizers[0].groups
    ]
    if any(group != groups[0] for group in groups):
        raise EditError(f"Expected one parameter group, got {len(groups)} with settings of their own.")
    return snapshot.optimizers[0]


def planned_steps(snapshot: Snapshot) -> int:
    """How many optimizer steps the whole training takes.

    Raises:
        EditError: it is not known.
    """
    steps = optimizer_steps(snapshot)
    if steps is None:
        raise EditError("the number of training steps is not known")
    return steps


def number(settings: OptimizerSettings, name: str) -> float:
    """A number of the optimizer's first group; 0 where it has none of that name."""
    value = settings.groups[0].get(name)
    return float(value) if isinstance(value, int | float) else 0.0


def _first_difference(before: str, after: str) -> str:
    pairs = zip_longest(before.splitlines(), after.splitlines(), fillvalue="")
    line, code = next((line, old) for line, (old, new) in enumerate(pairs, start=1) if old != new)
    return f"line {line}: {code.strip()}"
