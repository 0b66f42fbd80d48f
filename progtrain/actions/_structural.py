"""What the actions that rewrite structure have in common: an edit that fits, or the reason why it does not."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from itertools import zip_longest
from typing import ClassVar

from pydantic import JsonValue

from progtrain.actions.base import Action, Situation
from progtrain.errors import EditError
from progtrain.records import OptimizerSettings, Proposal, Refusal


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
        asked = situation.asks(*self.answers)
        if asked is None:
            return self.refuse(f"nothing diagnosed asks for it; it answers {', '.join(self.answers)}")
        source = situation.anatomy.source
        try:
            binding = self.bind(situation)
            held = sorted(binding.touches & situation.locks.keys())
            if held:
                return self.refuse(f"the rules hold {', '.join(held)}")
            child = self.apply(source, binding.parameters)
        except EditError as error:
            return self.refuse(str(error))
        return Proposal(
            action=self.name,
            family=self.family,
            answers=asked,
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
    """The script's one optimizer, of one parameter group.

    Raises:
        EditError: it optimizes by hand, or with several optimizers or groups.
    """
    snapshot = situation.snapshot
    if not snapshot.automatic_optimization:
        raise EditError("The script optimizes by hand (automatic_optimization is False). Change it there.")
    if len(snapshot.optimizers) != 1 or len(snapshot.optimizers[0].groups) != 1:
        groups = [len(optimizer.groups) for optimizer in snapshot.optimizers]
        raise EditError(f"Expected one optimizer with one parameter group, got groups {groups}. Change it by hand.")
    return snapshot.optimizers[0]


def number(settings: OptimizerSettings, name: str) -> float:
    """A number of the optimizer's one group; 0 where it has none of that name."""
    value = settings.groups[0].get(name)
    return float(value) if isinstance(value, int | float) else 0.0


def _first_difference(before: str, after: str) -> str:
    pairs = zip_longest(before.splitlines(), after.splitlines(), fillvalue="")
    line, code = next((line, old) for line, (old, new) in enumerate(pairs, start=1) if old != new)
    return f"line {line}: {code.strip()}"
