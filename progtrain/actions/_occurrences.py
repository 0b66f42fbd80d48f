"""What the actions that change every occurrence of one knob have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from pydantic import JsonValue

from progtrain.actions._set_knob import scalars
from progtrain.actions._structural import Binding, StructuralAction
from progtrain.actions.base import Situation, changed
from progtrain.errors import EditError
from progtrain.script.editing.edit import written
from progtrain.script.reading.anatomy import Anatomy, read_anatomy
from progtrain.script.reading.structure import Edit, rebuild
from progtrain.script.settings.knob_values import knob_values


@dataclass(frozen=True, order=True)
class Place:
    """A number in a script, between two character offsets."""

    start: int
    end: int
    value: float


class EveryOccurrence(StructuralAction):
    """Give every place that a knob comes from a new value.

    Attributes:
        knob: canonical name.
    """

    knob: ClassVar[str]

    @abstractmethod
    def value_for(self, present: float) -> float:
        """The value that takes the place of `present`.

        Raises:
            EditError: there is none within reach.
        """

    def bind(self, situation: Situation) -> Binding:
        """See StructuralAction."""
        old = [place.value for place in self.places(situation.anatomy)]
        live = knob_values(situation.snapshot).get(self.knob)
        if live and not any(value in old for value in scalars(live)):
            raise EditError(
                f"the script writes {self.knob} {old[0]:g}, but it trained with {live}, which is given elsewhere. "
                "Change it where it is given."
            )
        new = [self.value_for(value) for value in old]
        pairs = dict.fromkeys(f"{before:g} to {after:g}" for before, after in zip(old, new, strict=True))
        return Binding({"old": [*old], "new": [*new]}, f"{self.knob} from {', '.join(pairs)}", self.touches)

    def apply(self, source: str, parameters: Mapping[str, JsonValue]) -> str:
        """See Action."""
        places = self.places(read_anatomy(source))
        present = [place.value for place in places]
        old, new = parameters["old"], parameters["new"]
        if present != old or not isinstance(new, list):
            raise EditError(f"Expected {self.knob} {old}, got {present}. The script is not the one this was meant for.")
        edits = [Edit(place.start, place.end, written(value, "")) for place, value in zip(places, new, strict=True)]
        return changed(source, rebuild(source, edits), self.name)

    def places(self, anatomy: Anatomy) -> tuple[Place, ...]:
        """The distinct literals that set the knob, in the order of the text.

        Raises:
            EditError: there is none, one may not be set, or one is no number.
        """
        knobs = [knob for knob in anatomy.occurrences if knob.name == self.knob and not knob.computed_from]
        held = next((knob for knob in knobs if knob.why_not), None)
        if held is not None:
            raise EditError(f"line {held.line} may not be set: {held.why_not}")
        places = {
            Place(knob.start, knob.end, knob.value)
            for knob in knobs
            if isinstance(knob.value, int | float) and not isinstance(knob.value, bool)
        }
        if not places or len(places) != len({knob.start for knob in knobs}):
            raise EditError(f"the script writes no {self.knob} as a number, which it would change")
        return tuple(sorted(places))
