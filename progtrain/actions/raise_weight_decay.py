"""Tenfold weight decay, where there is some and the model still overfits."""

from typing import Final

from pydantic import JsonValue

from progtrain.actions._weight_decay import SetWeightDecay, present_decay
from progtrain.actions.base import Situation
from progtrain.errors import EditError

_LARGEST_DECOUPLED: Final = 0.5
_LARGEST_COUPLED: Final = 1e-2


class RaiseWeightDecay(SetWeightDecay):
    """Multiply weight decay by ten, up to 0.5 for AdamW and 0.01 where it goes through the gradient."""

    answers = ("overfitting",)
    probability = 0.4
    gain = 0.1
    goal = "Keep the weights smaller, so that training and validation part later"
    expected_impact = "The validation loss rises less after its best"
    verification = "The gap between the losses in the last epochs is smaller than the parent's"

    def value_for(self, situation: Situation) -> JsonValue:
        """See SetKnob."""
        settings, present = present_decay(situation)
        largest = _LARGEST_DECOUPLED if settings.type == "AdamW" else _LARGEST_COUPLED
        if present == 0:
            raise EditError("there is no weight decay to raise; it wants one above zero, as add_weight_decay sets")
        if present >= largest:
            raise EditError(f"weight decay is {present:g} already, and {largest:g} is as far as it goes")
        return min(float(f"{present * 10:.3g}"), largest)
