"""Half the batch: twice the optimizer steps in the same epochs."""

from typing import Final

from pydantic import JsonValue

from progtrain.actions._set_knob import SetKnob
from progtrain.actions.base import Situation
from progtrain.errors import EditError
from progtrain.script.settings.knob_values import knob_values

_SMALLEST: Final = 8
#: Statistics over fewer samples than this are too noisy to normalize by.
_SMALLEST_NORMALIZED: Final = 16


class SmallerBatch(SetKnob):
    """Halve the batch size of the training loader."""

    family = "batch"
    touches = frozenset({"batch_size"})
    answers = ("few-steps", "underfitting")
    risk = "low"
    probability = 0.45
    gain = 0.2
    knob = "batch_size"
    goal = "Take more optimizer steps in the same epochs"
    expected_impact = "Both losses fall further by the last epoch"
    verification = "The number of steps doubles, and the training loss ends lower"

    def value_for(self, situation: Situation) -> JsonValue:
        """See SetKnob."""
        values = knob_values(situation.snapshot)
        present, norms = values.get("batch_size"), values.get("normalization")
        if not isinstance(present, int):
            raise EditError("the training loader has no fixed batch size")
        has_batch_norm = isinstance(norms, list) and any("batch" in str(name).lower() for name in norms)
        smallest = _SMALLEST_NORMALIZED if has_batch_norm else _SMALLEST
        if present // 2 < smallest:
            raise EditError(f"a batch of {present} is not halved below {smallest}")
        return present // 2
