"""Twice the effective batch, by accumulating gradients over two batches."""

from typing import Final

from pydantic import JsonValue

from progtrain.actions._set_knob import SetKnob
from progtrain.actions._structural import planned_steps
from progtrain.actions.base import Situation
from progtrain.errors import EditError

#: With fewer steps than this there are none to give away.
_FEWEST_STEPS: Final = 1000


class AccumulateGradients(SetKnob):
    """Double the number of batches that one optimizer step is made of."""

    family = "batch"
    touches = frozenset({"accumulate"})
    answers = ("oscillating", "gradient-spikes")
    risk = "medium"
    probability = 0.35
    gain = 0.05
    knob = "accumulate"
    goal = "Average the gradient over more samples, so that steps vary less"
    expected_impact = "The validation metric swings less from epoch to epoch"
    verification = "The share of epochs with swings is below the parent's"

    def value_for(self, situation: Situation) -> JsonValue:
        """See SetKnob."""
        steps = planned_steps(situation.snapshot) // 2
        if steps < _FEWEST_STEPS:
            raise EditError(f"{steps} steps would be left, fewer than {_FEWEST_STEPS}")
        return 2 * situation.snapshot.accumulate_grad_batches
