"""A model that learns the logarithm of a skewed target, and answers on the target's own scale."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue

from progtrain.actions._numeric_target import find_places, require_plain_distance
from progtrain.actions._structural import Binding, StructuralAction
from progtrain.actions.base import Situation, changed
from progtrain.errors import EditError
from progtrain.script.editing.edit import reference
from progtrain.script.reading.lightning_module import find_module
from progtrain.script.reading.structure import ParsedScript, rebuild


class LogTarget(StructuralAction):
    """Let the network estimate log(1 + target): forward answers exp(...) - 1, the training loss compares logarithms."""

    family = "loss"
    # The function that measures the distance stays, and what it measures does not.
    touches = frozenset({"loss", "computation"})
    answers = ("skewed-target",)
    risk = "medium"
    probability = 0.5
    gain = 0.2
    goal = "Let errors count in proportion, so that the few largest targets do not decide where the model goes"
    expected_impact = (
        "Small targets are met far better; the largest may be missed by more. Training losses not comparable"
    )
    verification = "The locked metric, measured on the target's own scale, is better"

    def bind(self, situation: Situation) -> Binding:
        """See StructuralAction."""
        if situation.finding(*self.answers) is None:
            raise EditError("the targets are not known to be positive and skewed")
        require_plain_distance(situation.snapshot)
        return Binding(
            {}, "the network estimates log(1 + target), and forward answers on the target's scale", self.touches
        )

    def apply(self, source: str, parameters: Mapping[str, JsonValue]) -> str:
        """See Action."""
        source, expm1 = reference(source, "torch.expm1")
        source, log1p = reference(source, "torch.log1p")
        module = find_module(ParsedScript(source))
        places = find_places(module)
        wraps = ((places.returned, expm1), (places.answer, log1p), (places.target, log1p))
        edits = [edit for expression, function in wraps for edit in module.script.wrap(expression, function)]
        return changed(source, rebuild(source, edits), self.name)
