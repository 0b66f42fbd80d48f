"""SGD gets Nesterov momentum (Sutskever et al. 2013)."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue

from progtrain.actions._structural import Binding, StructuralAction, number, one_optimizer
from progtrain.actions.base import Situation, changed
from progtrain.errors import EditError
from progtrain.script.editing.edit import set_or_add
from progtrain.script.editing.optimization import find_optimizers
from progtrain.script.reading.structure import ParsedScript

MOMENTUM = 0.9


class Momentum(StructuralAction):
    """Add momentum 0.9 and Nesterov's correction to a plain SGD."""

    family = "optimizer"
    touches = frozenset({"momentum", "nesterov"})
    answers = ("plain-sgd", "slow")
    risk = "low"
    probability = 0.7
    gain = 0.35
    goal = "Keep direction through narrow valleys, so that the same rate goes further"
    expected_impact = "Both losses fall faster from the first epochs on"
    verification = "The training loss of the first three epochs is below the parent's"

    def bind(self, situation: Situation) -> Binding:
        """See StructuralAction."""
        settings = one_optimizer(situation)
        if settings.type != "SGD":
            raise EditError(f"only SGD takes it, and the script trains with {settings.type}")
        if number(settings, "momentum"):
            raise EditError(f"SGD has a momentum of {number(settings, 'momentum'):g} already")
        if number(settings, "dampening"):
            raise EditError("Nesterov momentum needs a dampening of 0")
        return Binding({"momentum": MOMENTUM}, f"SGD with Nesterov momentum {MOMENTUM:g}", self.touches)

    def apply(self, source: str, parameters: Mapping[str, JsonValue]) -> str:
        """See Action."""
        script = ParsedScript(source)
        kinds = [script.called(call) for call in find_optimizers(script)]
        if kinds != ["torch.optim.SGD"]:
            raise EditError(f"Expected one optimizer, a torch.optim.SGD, got {kinds or 'none'}. Nothing to add it to.")
        child = set_or_add(source, "momentum", parameters["momentum"])
        return changed(source, set_or_add(child, "nesterov", True), self.name)
