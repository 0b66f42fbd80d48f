"""What the actions that give one knob a new value have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from math import isclose
from typing import ClassVar

from pydantic import JsonValue

from progtrain.actions._structural import Binding, StructuralAction
from progtrain.actions.base import Situation, changed
from progtrain.errors import EditError
from progtrain.script.editing.edit import set_or_add
from progtrain.script.editing.smoothing import set_smoothing
from progtrain.script.settings.knob_values import knob_values


class SetKnob(StructuralAction):
    """Set one knob where the script sets it, or pass it where the script leaves it to the default.

    Attributes:
        knob: canonical name.
    """

    knob: ClassVar[str]

    @abstractmethod
    def value_for(self, situation: Situation) -> JsonValue:
        """The value to set.

        Raises:
            EditError: what is live calls for no other value, or for none within reach.
        """

    def bind(self, situation: Situation) -> Binding:
        """See StructuralAction."""
        if not situation.snapshot.automatic_optimization:
            raise EditError("the script optimizes by hand (automatic_optimization is False)")
        require_live(situation, self.knob, knob_values(situation.snapshot).get(self.knob))
        value = self.value_for(situation)
        place = situation.anatomy.knobs.get(self.knob)
        change = f"{self.knob} {value}" if place is None else f"{self.knob} from {place.value} to {value}"
        return Binding({"value": value}, change, self.touches)

    def apply(self, source: str, parameters: Mapping[str, JsonValue]) -> str:
        """See Action."""
        return changed(source, put(source, self.knob, parameters["value"]), self.name)


def put(source: str, knob: str, value: JsonValue) -> str:
    """The script with a knob set where it is set, or passed to the call that takes it; what validation measures stays.

    Raises:
        EditError: there is no one place for it.
    """
    if knob == "label_smoothing" and isinstance(value, int | float):
        return set_smoothing(source, value)
    return set_or_add(source, knob, value)


def require_live(situation: Situation, knob: str, live: JsonValue) -> None:
    """Hold every place that seems to set a knob against what the script trained with.

    Args:
        situation: of the parent.
        knob: canonical name.
        live: what the Snapshot has for it; a list where there are several.

    Raises:
        EditError: a place's value is not among the live ones, so setting it would do nothing, or something else.
    """
    there = list(scalars(live))
    places = [place for place in situation.anatomy.occurrences if place.name == knob and place.why_not is None]
    alive = [place for place in places if any(_same(place.value, value) for value in there)]
    for place in places:
        if place not in alive:
            said = f"line {place.line} sets {knob} to {place.value}, but it trained with {live}"
            raise EditError(
                f"{said}, of line {alive[0].line}: the script has several, as for another fit; it wants one value"
                if alive
                else f"{said}: another place decides what the fit that counts trains with"
            )


def scalars(value: JsonValue) -> Iterator[JsonValue]:
    """What a knob's value holds: itself, and where it is a list what its items hold.

    Args:
        value: of a Snapshot.
    """
    if isinstance(value, list):
        for item in value:
            yield from scalars(item)
    yield value


def _same(first: JsonValue, second: JsonValue) -> bool:
    if isinstance(first, int | float) and isinstance(second, int | float):
        return isclose(first, second, rel_tol=1e-9)
    return first == second
