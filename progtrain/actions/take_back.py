"""After a regression the one change may be to take the last change back."""

from collections.abc import Mapping

from pydantic import JsonValue

from progtrain.actions._structural import Binding, StructuralAction
from progtrain.actions.base import Situation, changed
from progtrain.errors import EditError
from progtrain.knobs import FAMILY
from progtrain.script.editing.versioning import apply_edits


class TakeBack(StructuralAction):
    """Undo the change that the parent was made by."""

    family = "lineage"
    touches = frozenset(FAMILY)
    answers = ("regressed",)
    risk = "low"
    probability = 0.9
    gain = 0.05
    goal = "Return to known ground"
    expected_impact = "The figures of the version before the regression"
    verification = "The primary metric is that version's, within noise"

    def bind(self, situation: Situation) -> Binding:
        """See StructuralAction."""
        if situation.undo is None or not situation.history:
            raise EditError("there is no change to take back")
        if situation.finding("regressed") is None:
            raise EditError("the last change did no harm")
        last = situation.history[-1]
        if last.action == self.name:
            raise EditError(f"{last.version} took a change back itself")
        return Binding(
            parameters={"edits": [*situation.undo]},
            change=f"{last.action} of {last.version} is taken back",
            touches=frozenset(last.touches),
        )

    def apply(self, source: str, parameters: Mapping[str, JsonValue]) -> str:
        """See Action."""
        edits = parameters["edits"]
        return changed(source, apply_edits(source, edits if isinstance(edits, list) else []), self.name)
