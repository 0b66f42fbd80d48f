"""Label smoothing: no reward for the last bit of confidence (arXiv 1512.00567)."""

from pydantic import JsonValue

from progtrain.actions._set_knob import SetKnob
from progtrain.actions.base import Situation
from progtrain.errors import EditError
from progtrain.script.settings.knob_values import knob_values


class LabelSmoothing(SetKnob):
    """Smooth the labels of the training's cross entropy by 0.05."""

    family = "regularization"
    touches = frozenset({"label_smoothing"})
    answers = ("overfitting",)
    risk = "low"
    probability = 0.5
    gain = 0.1
    knob = "label_smoothing"
    goal = "Stop the model from growing ever more confident of training samples"
    expected_impact = "Wrong answers are less confident; accuracy holds or rises. The training loss is not comparable"
    verification = "The locked loss on the validation set rises less after its best"

    def value_for(self, situation: Situation) -> JsonValue:
        """See SetKnob."""
        present = knob_values(situation.snapshot).get("label_smoothing")
        if present is None or isinstance(present, list):
            raise EditError("the training step has not one cross entropy")
        if present != 0:
            raise EditError(f"labels are smoothed already, by {present}")
        return 0.05
