"""A usual weight decay in the place of one that leaves no weight standing."""

from pydantic import JsonValue

from progtrain.actions._weight_decay import SetWeightDecay, present_decay, usual_decay
from progtrain.actions.base import Situation
from progtrain.errors import EditError


class UsualWeightDecay(SetWeightDecay):
    """Bring weight decay down to 1e-2 where it is decoupled (AdamW), to 1e-4 where it goes through the gradient."""

    answers = ("excessive-decay",)
    probability = 0.85
    gain = 0.5
    goal = "Let the weights keep for longer than an epoch what they learn"
    expected_impact = "Both losses leave the level of a model that knows nothing"
    verification = "The training loss at the end is far below the parent's"

    def value_for(self, situation: Situation) -> JsonValue:
        """See SetKnob."""
        if situation.finding(*self.answers) is None:
            raise EditError("weights are not known to decay within an epoch")
        settings, present = present_decay(situation)
        usual = usual_decay(settings)
        if present <= usual:
            raise EditError(f"weight decay is {present:g}, no more than {settings.type}'s usual {usual:g}")
        return usual
