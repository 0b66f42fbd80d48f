"""What the actions that put another distance in the place of the mean squared error have in common."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import ClassVar, Final

from pydantic import JsonValue

from progtrain.actions._structural import Binding, StructuralAction
from progtrain.actions.base import Situation, changed
from progtrain.errors import EditError
from progtrain.script.editing.edit import reference, without_unused
from progtrain.script.editing.training_loss import recomputed, replaced
from progtrain.script.reading.losses import LossCall, Losses
from progtrain.script.reading.structure import Edit, rebuild

_FUNCTION: Final = "torch.nn.functional.mse_loss"
_MODULE: Final = "torch.nn.MSELoss"


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
            raise EditError("the training step has not one mse_loss, which it would replace")
        return Binding({}, self.change, self.touches)

    def apply(self, source: str, parameters: Mapping[str, JsonValue]) -> str:
        """See Action."""
        calls, modules = _places(Losses(source))
        function = module = ""
        if any(loss.made not in modules for loss in calls):
            source, function = reference(source, f"torch.nn.functional.{self.function}")
        if modules:
            source, module = reference(source, f"torch.nn.{self.module}")
        losses = Losses(source)
        calls, modules = _places(losses)
        edits = [Edit(*losses.index.span(made.func), module) for made in modules]
        for loss in calls:
            if loss.made is None and loss.partial is None:
                edits += replaced(losses, loss, function)
            elif loss.made not in modules:
                edits += recomputed(losses, loss, function)
        return changed(source, without_unused(rebuild(source, dict.fromkeys(edits)), _FUNCTION, _MODULE), self.name)


def _places(losses: Losses) -> tuple[list[LossCall], list[ast.Call]]:
    """The calls that compute the training's squared error, and what makes the modules that only training uses.

    Raises:
        EditError: there is none, or more than one kind of them.
    """
    calls, unused = losses.training("mse_loss"), losses.unused(_MODULE)
    kinds = {_FUNCTION if loss.made is None else _MODULE for loss in calls}
    if not losses.has_training_step or calls:
        kinds |= {_MODULE for _ in unused}
    if len(kinds) != 1:
        lost = "" if calls else losses.lost()
        raise EditError(lost or f"Expected one kind of mean squared error, found {sorted(kinds) or 'none'}.")
    modules = [*losses.own_modules(calls), *unused]
    crowded = [loss.call for loss in calls if len(loss.call.args) > 2] + [made for made in modules if made.args]
    if crowded:
        raise EditError(f"Line {crowded[0].lineno}: expected further arguments by name. Write reduction=...")
    return calls, modules
