"""Dropout behind the activations of hidden layers (Srivastava et al. 2014)."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue

from progtrain.actions._structural import Binding, StructuralAction
from progtrain.actions.base import Situation, changed
from progtrain.errors import EditError
from progtrain.script.editing.edit import reference
from progtrain.script.reading.hidden import hidden_layers
from progtrain.script.reading.structure import ParsedScript, rebuild

_LIGHT, _USUAL = 0.1, 0.2
#: Networks with fewer parameters have little to spare.
_SMALL_NETWORK = 20_000


class AddDropout(StructuralAction):
    """Drop a share of every hidden layer's outputs in training."""

    family = "regularization"
    touches = frozenset({"dropout"})
    answers = ("overfitting",)
    risk = "low"
    probability = 0.4
    gain = 0.1
    goal = "Keep hidden units from relying on one another, so that less of the training set is learnt by heart"
    expected_impact = "The training loss rises a little and the best validation loss falls"
    verification = "The gap between validation and training loss at the end is below the parent's"

    def bind(self, situation: Situation) -> Binding:
        """See StructuralAction."""
        snapshot = situation.snapshot
        if any("Dropout" in layer.type for layer in snapshot.layers) or "dropout" in situation.anatomy.knobs:
            raise EditError("the script has dropout already; its strength can be raised")
        share = _LIGHT if snapshot.parameters < _SMALL_NETWORK else _USUAL
        count = len(hidden_layers(ParsedScript(situation.anatomy.source)))
        return Binding({"p": share}, f"Dropout of {share:g} behind {count} hidden activations", self.touches)

    def apply(self, source: str, parameters: Mapping[str, JsonValue]) -> str:
        """See Action."""
        source, name = reference(source, "torch.nn.Dropout")
        script = ParsedScript(source)
        if any("dropout" in script.called(call).lower() for call in script.calls()):
            raise EditError("Expected a model without dropout, found one. Raise its strength instead.")
        module = f"{name}({parameters['p']})"
        edits = [edit for hidden in hidden_layers(script) for edit in hidden.put_after_activation(module, "dropout")]
        return changed(source, rebuild(source, edits), self.name)
