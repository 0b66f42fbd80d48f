"""The mean of the weights over the last quarter of the training (Izmailov et al., arXiv 1803.05407)."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from pydantic import JsonValue

from progtrain.actions._callback import with_callback
from progtrain.actions._structural import Binding, StructuralAction, one_optimizer, planned_steps
from progtrain.actions.base import Situation, changed
from progtrain.errors import EditError
from progtrain.script.reading.structure import ParsedScript, rebuild

#: Lightning's StochasticWeightAveraging puts the mean in place only when training has ended: no checkpoint that was
#: chosen by its metric would hold it. WeightAveraging validates and saves the mean itself.
_CALLBACK = "lightning.pytorch.callbacks.WeightAveraging"
_SHARE_BEFORE = 0.75
_FEWEST_STEPS = 300
_FUNCTION = "mean_of_the_last_steps"
_DEFINITION = '''\
def {name}(mean, weights, count):
    """The mean of the weights since step {start}; until then the weights themselves."""
    return mean + (weights - mean) / (count - {start} + 1).clamp(min=1)


'''


class SWA(StructuralAction):
    """Validate and keep the mean of the weights after every step of the last quarter."""

    family = "regularization"
    touches = frozenset({"averaging"})
    answers = ("late-jitter", "oscillating")
    risk = "low"
    probability = 0.4
    gain = 0.06
    goal = "Keep the middle of the region that a constant rate wanders about in"
    expected_impact = "The validation metric rises at the beginning of the last quarter, and is smoother there"
    verification = "The spread of the validation metric over the last quarter is below the parent's"

    def bind(self, situation: Situation) -> Binding:
        """See StructuralAction."""
        one_optimizer(situation)
        snapshot = situation.snapshot
        present = [name for name in snapshot.callbacks if "Averaging" in name]
        if present:
            raise EditError(f"the weights are averaged already, by {present[0]}")
        if snapshot.rate_changes:
            raise EditError(f"{snapshot.rate_changes}: the last steps hardly differ; it wants a constant rate")
        steps = planned_steps(snapshot)
        if steps < _FEWEST_STEPS:
            raise EditError(f"{steps} steps are too few to average over; it wants {_FEWEST_STEPS}")
        start = int(steps * _SHARE_BEFORE)
        return Binding({"start": start}, f"the mean of the weights since step {start} of {steps}", self.touches)

    def apply(self, source: str, parameters: Mapping[str, JsonValue]) -> str:
        """See Action."""
        script = ParsedScript(source)
        if any(script.called(call).endswith("Averaging") for call in script.calls()):
            raise EditError("Expected weights that are not averaged, found an averaging callback. Nothing to add.")
        if script.defines(_FUNCTION):
            raise EditError(f"Expected the name {_FUNCTION} to be free, got one in use. Rename that one.")
        child = with_callback(source, _CALLBACK, f"avg_fn={_FUNCTION}")
        script = ParsedScript(child)
        used = next(node for node in ast.walk(script.tree) if isinstance(node, ast.Name) and node.id == _FUNCTION)
        definition = _DEFINITION.format(name=_FUNCTION, start=parameters["start"])
        return changed(source, rebuild(child, [script.define_before(used, definition)]), self.name)
