"""What the actions that normalize hidden layers have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from pydantic import JsonValue

from progtrain.actions._structural import Binding, StructuralAction
from progtrain.actions.base import Situation, changed
from progtrain.errors import EditError
from progtrain.script.editing.edit import reference
from progtrain.script.reading.hidden import HiddenLayer, hidden_layers
from progtrain.script.reading.structure import Edit, ParsedScript, rebuild


class Normalization(StructuralAction):
    """Put a normalization between every hidden layer and its activation."""

    family = "normalization"
    touches = frozenset({"normalization"})
    answers: ClassVar[tuple[str, ...]] = ("no-normalization", "early-instability", "underfitting")
    risk = "low"

    @abstractmethod
    def module_for(self, hidden: HiddenLayer) -> str | None:
        """Name of the class in torch.nn that normalizes this layer's output; None where none does."""

    def check_live(self, situation: Situation) -> None:
        """Raise an EditError where the model is normalized already."""
        present = [layer.type for layer in situation.snapshot.layers if "Norm" in layer.type]
        present += [call.function for call in situation.snapshot.calls if call.function.endswith("_norm")]
        if present:
            raise EditError(f"the model is normalized already, by {present[0]}")

    def bind(self, situation: Situation) -> Binding:
        """See StructuralAction."""
        self.check_live(situation)
        script = ParsedScript(situation.anatomy.source)
        modules = [module for hidden in hidden_layers(script) if (module := self.module_for(hidden))]
        names = " and ".join(sorted(set(modules)))
        return Binding({}, f"{names} before the activations of {len(modules)} hidden layers", self.touches)

    def apply(self, source: str, parameters: Mapping[str, JsonValue]) -> str:
        """See Action."""
        edits: list[Edit] = []
        for module in sorted(
            {module for hidden in hidden_layers(ParsedScript(source)) if (module := self.module_for(hidden))}
        ):
            source, _ = reference(source, f"torch.nn.{module}")
        script = ParsedScript(source)
        if any("Norm" in script.called(node).rpartition(".")[2] for node in script.calls()):
            raise EditError("Expected a model without normalization, found one. Nothing to add.")
        for hidden in hidden_layers(script):
            module, size = self.module_for(hidden), hidden.output_size
            if module is not None and size is not None:
                _, name = reference(source, f"torch.nn.{module}")
                edits += hidden.put_after_layer(f"{name}({script.text(size)})", "norm")
        return changed(source, rebuild(source, edits), self.name)
