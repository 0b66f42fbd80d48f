"""A usual dropout in the place of one that leaves a network little to work with."""

from __future__ import annotations

from progtrain.actions._dropout_step import STRONGEST
from progtrain.actions._occurrences import EveryOccurrence
from progtrain.actions._structural import Binding
from progtrain.actions.base import Situation
from progtrain.errors import EditError

_USUAL = 0.2


class UsualDropout(EveryOccurrence):
    """Bring every dropout above one half down to 0.2; weaker ones stay."""

    family = "regularization"
    touches = frozenset({"dropout"})
    answers = ("excessive-dropout",)
    risk = "low"
    probability = 0.8
    gain = 0.35
    knob = "dropout"
    goal = "Let most of the network take part in every step"
    expected_impact = "Both losses end far lower"
    verification = "The training loss at the end is below the parent's"

    def bind(self, situation: Situation) -> Binding:
        """See StructuralAction."""
        binding = super().bind(situation)
        if binding.parameters["old"] == binding.parameters["new"]:
            raise EditError(f"no dropout is above {STRONGEST:g}")
        return binding

    def value_for(self, present: float) -> float:
        """See EveryOccurrence."""
        return _USUAL if present > STRONGEST else present
