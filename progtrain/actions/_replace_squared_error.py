"""What the actions that put another distance in the place of the mean squared error have in common."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import ClassVar, Final

from pydantic import JsonValue

from progtrain.actions._measuring import measures
from progtrain.actions._structural import Binding, StructuralAction
from progtrain.actions.base import Situation, changed
from progtrain.errors import EditError
from progtrain.script.editing.edit import reference, without_unused
from progtrain.script.reading.structure import ParsedScript, rebuild

_POSITIONS: Final = {"torch.nn.functional.mse_loss": 2, "torch.nn.MSELoss": 0}
"""What computes a squared error -> how many arguments by position it shares with other distances."""


class ReplaceSquaredError(StructuralAction):
    """Replace the training's mean squared error; what validation measures by itself stays.

    Attributes:
        function: that computes the other distance, of torch.nn.functional.
        module: the class that holds it, of torch.nn.
        change: what is done, in words.
    """

    family = "loss"
    touches = frozenset({"loss"})
    risk = "medium"
    function: ClassVar[str]
    module: ClassVar[str]
    change: ClassVar[str]

    def bind(self, situation: Situation) -> Binding:
        """See StructuralAction."""
        squared = [call for call in situation.snapshot.calls if call.function == "mse_loss"]
        if len(squared) != 1:
            raise EditError("the training step has not one mse_loss")
        return Binding({}, self.change, self.touches)

    def apply(self, source: str, parameters: Mapping[str, JsonValue]) -> str:
        """See Action."""
        script = ParsedScript(source)
        present = {script.called(call) for call in _squared_errors(script)}
        if len(present) != 1:
            raise EditError(f"Expected one kind of mean squared error, found {sorted(present) or 'none'}.")
        squared = present.pop()
        other = f"torch.nn.{self.module}" if squared == "torch.nn.MSELoss" else f"torch.nn.functional.{self.function}"
        source, name = reference(source, other)
        script = ParsedScript(source)
        calls = _squared_errors(script)
        crowded = next((call for call in calls if len(call.args) > _POSITIONS[squared]), None)
        if crowded is not None:
            raise EditError(f"Line {crowded.lineno}: expected further arguments by name. Write reduction=...")
        child = rebuild(source, [script.replace(call.func, name) for call in calls])
        return changed(source, without_unused(child, *_POSITIONS), self.name)


def _squared_errors(script: ParsedScript) -> tuple[ast.Call, ...]:
    return tuple(call for call in script.calls() if script.called(call) in _POSITIONS and not measures(script, call))
