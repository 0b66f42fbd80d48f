"""Further in the direction in which a knob's last step has paid."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pydantic import JsonValue

from progtrain.actions._scale_rate import live_rates
from progtrain.actions._set_knob import require_live
from progtrain.actions._structural import Binding, StructuralAction
from progtrain.actions.base import Situation, changed
from progtrain.errors import EditError
from progtrain.script.editing.edit import set_knob
from progtrain.script.settings.knob_values import knob_values

#: Knob -> the values that it stays between.
_BOUNDS: Final = {"lr": (1e-6, 1.0), "weight_decay": (1e-6, 0.5), "dropout": (0.02, 0.6)}


class ExtendRange(StructuralAction):
    """Repeat the last step of learning rate, weight decay or dropout, where it paid and nothing lies beyond it."""

    family = "lineage"
    touches = frozenset(_BOUNDS)
    answers = ("edge-of-range",)
    risk = "low"
    probability = 0.5
    gain = 0.1
    goal = "Find where the knob's best value lies, now that it lies at the edge of what was tried"
    expected_impact = "Another gain like the last one, or the first value that is too far"
    verification = "The primary metric is better than the parent's"

    def bind(self, situation: Situation) -> Binding:
        """See StructuralAction."""
        finding = situation.finding(*self.answers)
        knob = next((knob for knob in _BOUNDS if finding is not None and knob in finding.numbers), None)
        if finding is None or knob is None:
            raise EditError("no knob's best value is the furthest tried")
        snapshot = situation.snapshot
        require_live(situation, knob, live_rates(snapshot) if knob == "lr" else knob_values(snapshot).get(knob))
        before, present = finding.numbers["before"], finding.numbers[knob]
        low, high = _BOUNDS[knob]
        step = present + (present - before) if knob == "dropout" or not before else present * (present / before)
        value = float(f"{min(max(step, low), high):.3g}")
        if value == present:
            raise EditError(f"{knob} is {present:g} already, and that is as far as it goes")
        change = f"{knob} from {present:g} to {value:g}, the way it came from {before:g}"
        return Binding({"knob": knob, "value": value}, change, frozenset({knob}))

    def apply(self, source: str, parameters: Mapping[str, JsonValue]) -> str:
        """See Action."""
        return changed(source, set_knob(source, str(parameters["knob"]), parameters["value"]), self.name)
