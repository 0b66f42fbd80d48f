"""What the actions that scale the learning rate have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar, Final

from pydantic import JsonValue

from progtrain.actions._set_knob import require_live
from progtrain.actions._structural import Binding, StructuralAction
from progtrain.actions.base import Situation
from progtrain.errors import EditError
from progtrain.records import Snapshot
from progtrain.script.editing.edit import set_or_add, set_places
from progtrain.script.reading.anatomy import Anatomy, Knob, read_anatomy
from progtrain.script.settings.knob_values import knob_values
from progtrain.script.settings.rates import present_rate

_SCHEDULER_RATES = ("max_lr", "base_lr")
NEAR: Final = 0.25
"""Share of the present rate; a range test tells rates no better than that."""
_FURTHEST: Final = 10.0
"""The most that a suggested rate is followed in one version: the test saw the first steps alone."""


class ScaleRate(StructuralAction):
    """Multiply the rate by a factor wherever it is set: optimizer, parameter groups, a scheduler's peak.

    Attributes:
        raises: whether the factor is above 1.
    """

    family = "rate"
    touches = frozenset({"lr"})
    raises: ClassVar[bool]

    @abstractmethod
    def bounds_for(self, situation: Situation) -> tuple[float, float]:
        """The rates that it stays between."""

    @abstractmethod
    def factor_for(self, situation: Situation) -> float:
        """What to multiply by where no range test suggests a rate."""

    def suggested_factor(self, situation: Situation) -> float | None:
        """What a range test suggests to multiply by; None where it is not heeded, or was not run."""
        suggested, present = situation.suggested_rate, present_rate(situation.snapshot)
        return suggested / present if suggested is not None and present else None

    def bind(self, situation: Situation) -> Binding:
        """See StructuralAction."""
        snapshot = situation.snapshot
        if not snapshot.automatic_optimization or len(snapshot.optimizers) != 1:
            raise EditError("it optimizes by hand, or with several optimizers")
        places = _places(situation.anatomy)
        require_live(situation, "lr", live_rates(snapshot))
        old = [_rate(place) for place in places] or [_default_rate(snapshot)]
        suggested = self.suggested_factor(situation)
        factor = self.factor_for(situation) if suggested is None else self._within_reach(suggested, old, situation)
        new = [float(f"{rate * factor:.3g}") for rate in old]
        low, high = self.bounds_for(situation)
        # A peak that is computed from a rate is no place of its own, and follows.
        largest = max(*new, float(f"{(present_rate(snapshot) or 0.0) * factor:.3g}"))
        if not low <= min(new) <= largest <= high:
            raise EditError(f"a rate of {largest:g} is out of the range {low:g} to {high:g} that it keeps to")
        pairs = dict.fromkeys(f"{before:g} to {after:g}" for before, after in zip(old, new, strict=True))
        said = "" if suggested is None else f" (a range test suggests {situation.suggested_rate:g})"
        return Binding({"old": [*old], "new": [*new]}, f"learning rate from {', '.join(pairs)}{said}", self.touches)

    def _within_reach(self, factor: float, old: list[float], situation: Situation) -> float:
        """A suggested factor, bounded.

        Raises:
            EditError: it does not lead in this action's direction, or leaves no room within its bounds.
        """
        said = f"a range test suggests a rate of {situation.suggested_rate:g}"
        if abs(factor - 1) <= NEAR:
            raise EditError(f"{said}, within {NEAR:.0%} of the present {present_rate(situation.snapshot):g}")
        if (factor > 1) is not self.raises:
            where = "above" if factor > 1 else "below"
            raise EditError(f"{said}, {where} the present {present_rate(situation.snapshot):g}")
        low, high = self.bounds_for(situation)
        highest = max(*old, present_rate(situation.snapshot) or 0.0)
        least, most = (bound / rate if rate else factor for bound, rate in ((low, min(old)), (high, highest)))
        bounded = min(max(factor, least, 1 / _FURTHEST), most, _FURTHEST)
        if (bounded > 1) is not self.raises or abs(bounded - 1) <= NEAR:
            raise EditError(f"{said}, out of the range {low:g} to {high:g} that it keeps to")
        return bounded

    def apply(self, source: str, parameters: Mapping[str, JsonValue]) -> str:
        """See Action."""
        places = _places(read_anatomy(source))
        present, new = [_rate(place) for place in places], parameters["new"]
        if not places and isinstance(new, list) and len(new) == 1:
            return set_or_add(source, "lr", new[0])
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
    return [place for place in rates if not place.computed_from]


def _default_rate(snapshot: Snapshot) -> float:
    """Of an optimizer that is given none."""
    rate = present_rate(snapshot)
    if rate is None or len(snapshot.optimizers[0].groups) != 1:
        raise EditError("the script names no rate, and no one rate is trained with")
    return rate


def _rate(place: Knob) -> float:
    if isinstance(place.value, bool) or not isinstance(place.value, int | float):
        raise EditError(f"Expected a number for the rate in line {place.line}, got {place.value!r}. Write a number.")
    return float(place.value)


def live_rates(snapshot: Snapshot) -> JsonValue:
    """Every rate that was trained with: those of the optimizer, and the peaks of its schedulers."""
    peaks = [scheduler.arguments.get(name) for scheduler in snapshot.schedulers for name in _SCHEDULER_RATES]
    return [knob_values(snapshot).get("lr"), *peaks]
