"""What the actions that change weight decay have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pydantic import JsonValue

from progtrain.actions._set_knob import SetKnob
from progtrain.actions._structural import one_optimizer
from progtrain.actions.base import Situation, changed
from progtrain.errors import EditError
from progtrain.records import OptimizerSettings
from progtrain.script.editing.edit import set_or_add, set_places
from progtrain.script.reading.anatomy import read_anatomy

_DECOUPLED: Final = 1e-2
_COUPLED: Final = 1e-4


def usual_decay(settings: OptimizerSettings) -> float:
    """What decays without holding back: 1e-2 where it is decoupled (AdamW), 1e-4 where it goes through the gradient."""
    return _DECOUPLED if settings.type == "AdamW" else _COUPLED


class SetWeightDecay(SetKnob):
    """Set the decay of the parameters that are decayed; groups that are written to have none keep none."""

    family = "regularization"
    touches = frozenset({"weight_decay"})
    risk = "low"
    knob = "weight_decay"

    def apply(self, source: str, parameters: Mapping[str, JsonValue]) -> str:
        """See Action."""
        value = parameters["value"]
        places = [place for place in read_anatomy(source).occurrences if place.name == self.knob]
        decayed = [place for place in places if place.value != 0 and not place.computed_from]
        if len({place.value == 0 for place in places}) < 2:
            return changed(source, set_or_add(source, self.knob, value), self.name)
        if any(place.value != decayed[0].value for place in decayed):
            raise EditError(f"Expected one weight decay beside 0, got {[place.value for place in decayed]}.")
        return changed(source, set_places(source, [(place, value) for place in decayed]), self.name)


def present_decay(situation: Situation) -> tuple[OptimizerSettings, float]:
    """The script's one optimizer, and the decay of what it decays.

    Raises:
        EditError: there is not one optimizer; or a group is spared, and the decay of the others is nowhere written.
    """
    settings = one_optimizer(situation)
    decays = [
        decay if isinstance(decay := group.get("weight_decay"), int | float) else 0.0 for group in settings.groups
    ]
    places = [place for place in situation.anatomy.occurrences if place.name == "weight_decay"]
    if len({*decays}) > 1 and all(place.value == 0 for place in places):
        raise EditError("the decay is left to the optimizer's default, and written for the group that has none")
    return settings, max(decays)
