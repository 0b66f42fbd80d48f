"""What the actions that scale the learning rate have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from pydantic import JsonValue

from progtrain.actions._set_knob import require_live
from progtrain.actions._structural import Binding, StructuralAction
from progtrain.actions.base import Situation
from progtrain.errors import EditError
from progtrain.records import Snapshot
from progtrain.script.anatomy import Anatomy, Knob, read_anatomy
from progtrain.script.edit import set_places
from progtrain.script.knob_values import knob_values

_SCHEDULER_RATES = ("max_lr", "base_lr")


class ScaleRate(StructuralAction):
    """Multiply the rate by a factor wherever it is set: optimizer, parameter groups, a scheduler's peak.

    Attributes:
        bounds: rates that it stays between.
    """

    family = "rate"
    touches = frozenset({"lr"})
    bounds: ClassVar[tuple[float, float]]

    @abstractmethod
    def factor_for(self, situation: Situation) -> float:
        """What to multiply by."""

    def bind(self, situation: Situation) -> Binding:
        """See StructuralAction."""
        snapshot = situation.snapshot
        if not snapshot.automatic_optimization or len(snapshot.optimizers) != 1:
            raise EditError("it optimizes by hand, or with several optimizers")
        places = _places(situation.anatomy)
        require_live(situation, "lr", live_rates(snapshot))
        factor = self.factor_for(situation)
        old = [_rate(place) for place in places]
        new = [float(f"{rate * factor:.3g}") for rate in old]
        low, high = self.bounds
        if not low <= min(new) <= max(new) <= high:
            raise EditError(f"a rate of {max(new):g} is out of the range {low:g} to {high:g} that it keeps to")
        pairs = dict.fromkeys(f"{before:g} to {after:g}" for before, after in zip(old, new, strict=True))
        return Binding({"old": [*old], "new": [*new]}, f"learning rate from {', '.join(pairs)}", self.touches)

    def apply(self, source: str, parameters: Mapping[str, JsonValue]) -> str:
        """See Action."""
        places = _places(read_anatomy(source))
        present, new = [_rate(place) for place in places], parameters["new"]
        if present != parameters["old"] or not isinstance(new, list):
            raise EditError(
                f"Expected learning rates {parameters['old']}, got {present}. Propose anew for this script."
            )
        return set_places(source, list(zip(places, new, strict=True)))


def _places(anatomy: Anatomy) -> list[Knob]:
    """Where rates stand; those computed from another of them follow it."""
    rates = [place for place in anatomy.occurrences if place.name == "lr"]
    held = next((place for place in rates if place.why_not is not None), None)
    if held is not None:
        raise EditError(f"the rate in line {held.line} ({held.where}) cannot be set: {held.why_not}")
    if not rates:
        raise EditError("the script leaves the rate to the optimizer's default")
    return [place for place in rates if not place.computed_from]


def _rate(place: Knob) -> float:
    if isinstance(place.value, bool) or not isinstance(place.value, int | float):
        raise EditError(f"Expected a number for the rate in line {place.line}, got {place.value!r}. Write a number.")
    return float(place.value)


def live_rates(snapshot: Snapshot) -> JsonValue:
    """Every rate that was trained with: those of the optimizer, and the peaks of its schedulers."""
    peaks = [scheduler.arguments.get(name) for scheduler in snapshot.schedulers for name in _SCHEDULER_RATES]
    return [knob_values(snapshot).get("lr"), *peaks]
