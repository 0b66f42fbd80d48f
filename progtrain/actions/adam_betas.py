"""A shorter memory of squared gradients for Adam, as short trainings want it."""

from typing import Final

from pydantic import JsonValue

from progtrain.actions._set_knob import SetKnob
from progtrain.actions._structural import one_optimizer
from progtrain.actions.base import Situation
from progtrain.errors import EditError

_SECOND: Final = 0.95


class AdamBetas(SetKnob):
    """Set Adam's second beta to 0.95: it looks back over some 20 steps instead of 1,000."""

    family = "optimizer"
    touches = frozenset({"betas"})
    answers = ("gradient-spikes", "late-jitter")
    risk = "low"
    probability = 0.2
    gain = 0.03
    knob = "betas"
    goal = "Let the step sizes follow the gradients as they are now"
    expected_impact = "Lower spikes of the training loss, and less jitter in the last epochs"
    verification = "The training loss has fewer spikes than the parent's"

    def value_for(self, situation: Situation) -> JsonValue:
        """See SetKnob."""
        settings = one_optimizer(situation)
        match settings.groups[0].get("betas"):
            case [int() | float() as first, int() | float() as second] if second > _SECOND:
                return [first, _SECOND]
            case [_, second]:
                raise EditError(f"the second beta is {second} already")
        raise EditError(f"{settings.type} has no betas")
