"""Half the epochs, where the best one comes early and the user's rules leave their number free."""

from typing import Final

from pydantic import JsonValue

from progtrain.actions._schedule import require_other_length
from progtrain.actions._set_knob import SetKnob
from progtrain.actions.base import Situation
from progtrain.errors import EditError

_FEWEST: Final = 5


class FewerEpochs(SetKnob):
    """Train half as long."""

    family = "epochs"
    touches = frozenset({"epochs"})
    answers = ("best-early",)
    risk = "low"
    probability = 0.3
    gain = 0.02
    knob = "epochs"
    goal = "Spend no epochs that bring nothing; a schedule then settles where the best epoch is"
    expected_impact = "The same metric in half the time"
    verification = "The primary metric is the parent's or better"

    def value_for(self, situation: Situation) -> JsonValue:
        """See SetKnob."""
        require_other_length(situation)
        present = situation.snapshot.max_epochs
        if present is None or present < 2 * _FEWEST:
            raise EditError(f"the Trainer has {present} epochs, and half of them would be fewer than {_FEWEST}")
        return present // 2
