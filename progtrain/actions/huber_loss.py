"""Huber's loss: squared for small errors, linear for large ones (Huber 1964)."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Final

from pydantic import JsonValue

from progtrain.actions._measuring import measures
from progtrain.actions._structural import Binding, StructuralAction
from progtrain.actions.base import Situation, changed
from progtrain.errors import EditError
from progtrain.script.edit import reference, without_unused
from progtrain.script.structure import ParsedScript, rebuild

_HUBER: Final = {
    "torch.nn.functional.mse_loss": ("torch.nn.functional.huber_loss", 2),
    "torch.nn.MSELoss": ("torch.nn.HuberLoss", 0),
}
"""What computes a squared error -> what computes Huber's, and how many arguments by position both share."""


class HuberLoss(StructuralAction):
    """Replace the training's mean squared error by Huber's loss; what validation measures by itself stays."""

    family = "loss"
    touches = frozenset({"loss"})
    answers = ("heavy-tailed-residuals",)
    risk = "medium"
    probability = 0.55
    gain = 0.15
    goal = "Keep a few large errors from deciding where the model goes"
    expected_impact = "Typical errors shrink, the largest ones may grow; training losses cannot be compared"
    verification = "The locked metric is better, and the worst samples carry less of the whole error"

    def bind(self, situation: Situation) -> Binding:
        """See StructuralAction."""
        squared = [call for call in situation.snapshot.calls if call.function == "mse_loss"]
        if len(squared) != 1:
            raise EditError("the training step has not one mse_loss")
        return Binding({}, "the mean squared error becomes Huber's loss, linear beyond errors of 1", self.touches)

    def apply(self, source: str, parameters: Mapping[str, JsonValue]) -> str:
        """See Action."""
        script = ParsedScript(source)
        present = {script.called(call) for call in _squared_errors(script)}
        if len(present) != 1:
            raise EditError(f"Expected one kind of mean squared error, found {sorted(present) or 'none'}.")
        name, positions = _HUBER[present.pop()]
        source, huber = reference(source, name)
        script = ParsedScript(source)
        calls = _squared_errors(script)
        crowded = next((call for call in calls if len(call.args) > positions), None)
        if crowded is not None:
            raise EditError(f"Line {crowded.lineno}: expected further arguments by name. Write reduction=...")
        child = rebuild(source, [script.replace(call.func, huber) for call in calls])
        return changed(source, without_unused(child, *_HUBER), self.name)


def _squared_errors(script: ParsedScript) -> tuple[ast.Call, ...]:
    return tuple(call for call in script.calls() if script.called(call) in _HUBER and not measures(script, call))
