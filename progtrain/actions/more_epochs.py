"""Half as many epochs again, where the user's rules leave their number free."""

from math import ceil
from typing import Final

from pydantic import JsonValue

from progtrain.actions._schedule import require_other_length
from progtrain.actions._set_knob import SetKnob
from progtrain.actions.base import Situation
from progtrain.errors import EditError

_FACTOR: Final = 1.5


class MoreEpochs(SetKnob):
    """Train half as long again."""

    family = "epochs"
    touches = frozenset({"epochs"})
    answers = ("still-improving", "slow", "few-steps")
    risk = "low"
    probability = 0.6
    gain = 0.15
    knob = "epochs"
    goal = "Let the model learn what it has not come to yet"
    expected_impact = "The validation loss goes on falling behind the parent's last epoch"
    verification = "The best epoch lies behind the parent's last one, and its metric is better"

    def value_for(self, situation: Situation) -> JsonValue:
        """See SetKnob."""
        require_other_length(situation)
        present = situation.snapshot.max_epochs
        if present is None or present < 1:
            raise EditError("the Trainer has no number of epochs")
        if situation.snapshot.max_steps > 0:
            raise EditError("the training ends at max_steps, not at its last epoch")
        return ceil(present * _FACTOR)
