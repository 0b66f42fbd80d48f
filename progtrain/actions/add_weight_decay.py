"""Weight decay where there is none: smaller weights, a smaller gap between training and validation."""

from pydantic import JsonValue

from progtrain.actions._weight_decay import SetWeightDecay, present_decay, usual_decay
from progtrain.actions.base import Situation
from progtrain.errors import EditError


class AddWeightDecay(SetWeightDecay):
    """Set weight decay to 1e-2 where it is decoupled (AdamW), to 1e-4 where it goes through the gradient."""

    answers = ("overfitting",)
    probability = 0.4
    gain = 0.1
    goal = "Keep the weights small, so that training and validation part later"
    expected_impact = "The validation loss rises less after its best"
    verification = "The gap between the losses in the last epochs is smaller than the parent's"

    def value_for(self, situation: Situation) -> JsonValue:
        """See SetKnob."""
        settings, present = present_decay(situation)
        if present > 0:
            raise EditError(f"{settings.type} decays weights already, by {present:g}")
        return usual_decay(settings)
