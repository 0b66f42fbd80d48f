"""Label smoothing: no reward for the last bit of confidence (arXiv 1512.00567)."""

from dataclasses import replace

from pydantic import JsonValue

from progtrain.actions._batch import require_log_softmax
from progtrain.actions._set_knob import SetKnob
from progtrain.actions._structural import Binding
from progtrain.actions.base import Situation
from progtrain.errors import EditError
from progtrain.script.settings.knob_values import CLASS_LOSSES


class LabelSmoothing(SetKnob):
    """Smooth the labels of the training's cross entropy by 0.05."""

    family = "regularization"
    # nll_loss takes no smoothing, and becomes cross entropy.
    touches = frozenset({"label_smoothing", "loss"})
    answers = ("overfitting",)
    risk = "low"
    probability = 0.5
    gain = 0.1
    knob = "label_smoothing"
    goal = "Stop the model from growing ever more confident of training samples"
    expected_impact = "Wrong answers are less confident; accuracy holds or rises. The training loss is not comparable"
    verification = "The locked loss on the validation set rises less after its best"

    def bind(self, situation: Situation) -> Binding:
        """See StructuralAction."""
        binding = super().bind(situation)
        is_cross_entropy = any(call.function == "cross_entropy" for call in situation.snapshot.calls)
        return replace(binding, touches=frozenset({self.knob})) if is_cross_entropy else binding

    def value_for(self, situation: Situation) -> JsonValue:
        """See SetKnob."""
        losses = [call for call in situation.snapshot.calls if call.function in CLASS_LOSSES]
        if len(losses) != 1:
            raise EditError("the training step has not one cross entropy")
        require_log_softmax(situation.snapshot)
        if losses[0].arguments.get(self.knob):
            raise EditError(f"labels are smoothed already, by {losses[0].arguments[self.knob]}")
        return 0.05
