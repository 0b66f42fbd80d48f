"""A wider network: twice the hidden width."""

from __future__ import annotations

from typing import Final

from progtrain.actions._width_factor import WidthFactor

NARROW: Final = 16
"""A layer of fewer units hardly holds anything, and doubling it would take version after version."""
AT_LEAST: Final = 32


class Widen(WidthFactor):
    """Double every hidden width; what is narrower than 16 becomes 32."""

    answers = ("bottleneck", "underfitting", "benign-gap", "still-improving")
    risk = "low"
    probability = 0.6
    gain = 0.2
    factor = 2
    goal = "Give the network the capacity to fit the training set"
    expected_impact = "The training loss ends lower, and the validation loss follows"
    verification = "The training loss at the end is below the parent's"

    def value_for(self, present: float) -> float:
        """See EveryOccurrence."""
        return AT_LEAST if 0 < present < NARROW else super().value_for(present)
