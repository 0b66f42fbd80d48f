"""An exponential moving average of the weights, which is what is validated and kept (Polyak and Juditsky 1992)."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue

from progtrain.actions._callback import with_callback
from progtrain.actions._structural import Binding, StructuralAction, one_optimizer, planned_steps
from progtrain.actions.base import Situation, changed
from progtrain.errors import EditError
from progtrain.script.reading.structure import ParsedScript

_CALLBACK = "lightning.pytorch.callbacks.EMAWeightAveraging"
#: The average looks back over about 1 / (1 - decay) steps, which should be a small part of the training.
_SHORT_DECAY, _LONG_DECAY, _LONG_TRAINING_STEPS = 0.99, 0.999, 20_000
_FEWEST_STEPS = 300


class EMA(StructuralAction):
    """Add Lightning's EMAWeightAveraging callback to the Trainer."""

    family = "regularization"
    touches = frozenset({"averaging"})
    answers = ("late-jitter", "oscillating", "within-noise")
    risk = "low"
    probability = 0.5
    gain = 0.08
    goal = "Average away what the last steps add by chance"
    expected_impact = "A smoother validation metric, and a somewhat better best epoch"
    verification = "The spread of the validation metric over the last quarter is below the parent's"

    def bind(self, situation: Situation) -> Binding:
        """See StructuralAction."""
        one_optimizer(situation)
        present = [name for name in situation.snapshot.callbacks if "Averaging" in name]
        if present:
            raise EditError(f"the weights are averaged already, by {present[0]}")
        steps = planned_steps(situation.snapshot)
        if steps < _FEWEST_STEPS:
            raise EditError(f"{steps} steps are too few to average over; it wants {_FEWEST_STEPS}")
        decay = _SHORT_DECAY if steps < _LONG_TRAINING_STEPS else _LONG_DECAY
        return Binding({"decay": decay}, f"EMAWeightAveraging with a decay of {decay:g}", self.touches)

    def apply(self, source: str, parameters: Mapping[str, JsonValue]) -> str:
        """See Action."""
        script = ParsedScript(source)
        if any(script.called(call).endswith("Averaging") for call in script.calls()):
            raise EditError("Expected weights that are not averaged, found an averaging callback. Nothing to add.")
        return changed(source, with_callback(source, _CALLBACK, f"decay={parameters['decay']}"), self.name)
