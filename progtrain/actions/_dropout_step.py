"""What the actions that make dropout stronger or weaker have in common."""

from __future__ import annotations

from typing import ClassVar

from progtrain.actions._occurrences import EveryOccurrence
from progtrain.errors import EditError

STRONGEST = 0.5


class DropoutStep(EveryOccurrence):
    """Move every dropout by the same step.

    Attributes:
        step: added to the probability.
    """

    family = "regularization"
    touches = frozenset({"dropout"})
    knob = "dropout"
    risk = "low"
    step: ClassVar[float]

    def value_for(self, present: float) -> float:
        """See EveryOccurrence."""
        value = max(0.0, round(present + self.step, 6))
        if value == present or (self.step > 0 and value > STRONGEST):
            raise EditError(f"dropout is {present:g}, at its end of 0 to {STRONGEST:g}")
        return value
