"""Weights drawn so that ReLU layers pass their input's variance on (He et al., arXiv 1502.01852)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pydantic import JsonValue

from progtrain.actions._structural import Binding, StructuralAction
from progtrain.actions.base import Situation, changed
from progtrain.errors import EditError
from progtrain.script.editing.edit import reference
from progtrain.script.reading.lightning_module import find_module
from progtrain.script.reading.structure import ParsedScript, rebuild
from progtrain.script.settings.knob_values import ACTIVATIONS, NORMALIZATIONS

_KINDS: Final = ("Linear", "Conv1d", "Conv2d")


class KaimingInitialization(StructuralAction):
    """Draw the weights of all layers but the last from Kaiming's normal distribution, with biases of zero."""

    family = "initialization"
    touches = frozenset({"initialization"})
    answers = ("slow", "underfitting")
    risk = "low"
    probability = 0.4
    gain = 0.1
    goal = "Keep signals and gradients from fading layer by layer before anything is learnt"
    expected_impact = "Both losses fall faster in the first epochs"
    verification = "The training loss of the first three epochs is below the parent's"

    def bind(self, situation: Situation) -> Binding:
        """See StructuralAction."""
        snapshot = situation.snapshot
        activations = {call.function for call in snapshot.calls if call.function in ACTIVATIONS}
        if activations != {"relu"}:
            raise EditError(f"it is made for ReLU, and the activations are {sorted(activations) or 'none'}")
        if any(call.function in NORMALIZATIONS for call in snapshot.calls):
            raise EditError("the layers are normalized, which makes up for any scale of their weights")
        if snapshot.initialization:
            raise EditError(f"the script draws its weights itself: {', '.join(snapshot.initialization)}")
        layers = [layer.type for layer in snapshot.layers if layer.parameters]
        if len(layers) < 2 or not set(layers) <= set(_KINDS):
            raise EditError(f"expected two layers or more, all of {', '.join(_KINDS)}, got {layers}")
        kinds: list[JsonValue] = [kind for kind in _KINDS if kind in layers]
        return Binding({"kinds": kinds}, f"{len(layers) - 1} layers are drawn by Kaiming's scheme", self.touches)

    def apply(self, source: str, parameters: Mapping[str, JsonValue]) -> str:
        """See Action."""
        kinds, names = parameters["kinds"], []
        assert isinstance(kinds, list)
        for kind in kinds:
            source, name = reference(source, f"torch.nn.{kind}")
            names.append(name)
        source, normal = reference(source, "torch.nn.init.kaiming_normal_")
        source, zeros = reference(source, "torch.nn.init.zeros_")
        module = find_module(ParsedScript(source))
        kind = names[0] if len(names) == 1 else f"({', '.join(names)})"
        function = f'''\
def draw_weights(model):
    """Kaiming's normal distribution for every layer but the last (arXiv 1502.01852)."""
    for layer in [part for part in model.modules() if isinstance(part, {kind})][:-1]:
        {normal}(layer.weight, nonlinearity="relu")
        if layer.bias is not None:
            {zeros}(layer.bias)'''
        edits = [module.define(function), module.end_of_init("draw_weights(self)")]
        return changed(source, rebuild(source, edits), self.name)
