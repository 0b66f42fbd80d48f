"""Mixed precision with bfloat16: a question of speed, which no finding asks yet; on a CPU it is mostly slower."""

from typing import Final

from pydantic import JsonValue

from progtrain.actions._set_knob import SetKnob
from progtrain.actions.base import Situation
from progtrain.errors import EditError

_FULL: Final = "32-true"


class PrecisionBF16(SetKnob):
    """Train in bf16-mixed where full precision was left at its default."""

    family = "precision"
    touches = frozenset({"precision"})
    answers = ("compute-bound",)
    risk = "medium"
    probability = 0.1
    gain = 0.01
    knob = "precision"
    goal = "Train faster on hardware that computes in bfloat16"
    expected_impact = "The same curves in less time"
    verification = "The primary metric is the parent's within noise"

    def value_for(self, situation: Situation) -> JsonValue:
        """See SetKnob."""
        present = situation.snapshot.precision
        if present != _FULL:
            raise EditError(f"the precision is {present} already")
        return "bf16-mixed"
