"""A tenth of the weight decay, where the model is held back from fitting."""

from typing import Final

from pydantic import JsonValue

from progtrain.actions._weight_decay import SetWeightDecay, present_decay
from progtrain.actions.base import Situation
from progtrain.errors import EditError

#: Decay below this does nothing that would be seen.
_SMALLEST: Final = 1e-5


class LowerWeightDecay(SetWeightDecay):
    """Divide weight decay by ten."""

    answers = ("underfitting",)
    probability = 0.3
    gain = 0.05
    goal = "Let the weights grow as far as the training set asks for"
    expected_impact = "The training loss ends lower, and the validation loss follows"
    verification = "The training loss at the end is below the parent's"

    def value_for(self, situation: Situation) -> JsonValue:
        """See SetKnob."""
        _, present = present_decay(situation)
        if present <= _SMALLEST:
            raise EditError(f"weight decay is {present:g}, too little to hold the model back")
        return float(f"{present / 10:.3g}")
