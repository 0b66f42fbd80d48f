"""Where nothing diagnosed asks for anything: search the value of one knob, in the light of every version so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import JsonValue

from progtrain.actions._one_knob_study import Range, Search, Tried, next_value
from progtrain.actions._scale_rate import live_rates
from progtrain.actions._set_knob import put, require_live
from progtrain.actions._structural import Binding, StructuralAction
from progtrain.actions._tunable import TUNABLE, numbers, ranges
from progtrain.actions.base import Situation, changed
from progtrain.errors import EditError
from progtrain.script.settings.knob_values import knob_values
from progtrain.step_records import NOTHING_ASKS, TAKING_BACK, Attempt


class TuneKnob(StructuralAction):
    """Give one number of the script the value that Optuna proposes, all others fixed, from every version so far."""

    family = "lineage"
    touches = frozenset(TUNABLE)
    answers = (NOTHING_ASKS,)
    risk = "low"
    probability = 0.3
    gain = 0.1
    goal = "Find a better value of one knob, now that nothing diagnosed asks for anything else"
    expected_impact = "A small gain, or one more value that is known not to help"
    verification = "The primary metric is better than the parent's"

    def bind(self, situation: Situation) -> Binding:
        """See StructuralAction."""
        if not situation.snapshot.automatic_optimization:
            raise EditError("the script optimizes by hand (automatic_optimization is False)")
        present = numbers(knob_values(situation.snapshot))
        allowed = ranges(present, situation.snapshot)
        held = allowed.keys() & situation.locks.keys()
        if held and held == allowed.keys():
            return Binding({}, "", frozenset(held))  # `propose` says which rules hold them
        reasons = []
        for knob in _in_turn([knob for knob in allowed if knob not in held], situation.history):
            try:
                value = _searched(situation, knob, present, allowed)
                put(situation.anatomy.source, knob, value)
            except EditError as error:
                reasons.append(f"{knob}: {error}")
                continue
            change = f"{knob} from {present[knob]:g} to {value:g}, as Optuna proposes"
            return Binding({"knob": knob, "value": value}, change, frozenset({knob}))
        raise EditError("; ".join(["no knob is left to search", *reasons]))

    def apply(self, source: str, parameters: Mapping[str, JsonValue]) -> str:
        """See Action."""
        return changed(source, put(source, str(parameters["knob"]), parameters["value"]), self.name)


def _in_turn(knobs: Sequence[str], history: Sequence[Attempt]) -> list[str]:
    """The knob first that the fewest versions have touched, the more important one where several tie.

    Only where the newest version was one of this search and has improved, its knob stays first, once.
    """
    touched = [attempt.touches for attempt in history if attempt.action != TAKING_BACK]
    stays = _paid(history[-1:]) if _paid(history[-1:]) != _paid(history[-2:-1]) else ()
    # Ties keep the order of `knobs`.
    return sorted(knobs, key=lambda knob: (knob not in stays, sum(knob in each for each in touched)))


def _paid(newest: Sequence[Attempt]) -> tuple[str, ...]:
    """The knob of a version of this search that has improved."""
    return next((each.touches for each in newest if each.action == TuneKnob.name and each.verdict == "improved"), ())


def _searched(situation: Situation, knob: str, present: Mapping[str, float], allowed: Mapping[str, Range]) -> float:
    """The value of `knob` to try next.

    Raises:
        EditError: a place that seems to set it does not, or the search comes up with nothing new.
    """
    snapshot, history = situation.snapshot, situation.history
    live = knob_values(snapshot)
    require_live(situation, knob, live_rates(snapshot) if knob == "lr" else live[knob])
    alike = [attempt.knobs for attempt in history if _rest(attempt.knobs, knob) == _rest(live, knob)]
    value = next_value(
        Search(
            knob=knob,
            ranges=allowed,
            fixed={other: number for other, number in present.items() if other != knob},
            tried=tuple(
                Tried(numbers(attempt.knobs), attempt.primary) for attempt in history if attempt.primary is not None
            ),
            taken=frozenset(numbers(each)[knob] for each in (live, *alike) if knob in numbers(each)),
            higher_is_better=situation.higher_is_better,
            # Another draw for every version, and the same when a loop is taken up again.
            seed=situation.seed + len(history),
        )
    )
    if value is None:
        raise EditError("every value that was drawn has been tried")
    return value


def _rest(knobs: Mapping[str, JsonValue], knob: str) -> dict[str, JsonValue]:
    """All other knobs; of a schedule the kind alone, since its numbers may follow from the knob's."""
    schedule = knobs.get("scheduler")
    schedules = schedule if isinstance(schedule, list) else [schedule]
    kinds: list[JsonValue] = [each.get("type") for each in schedules if isinstance(each, dict)]
    return {**{name: value for name, value in knobs.items() if name != knob}, "scheduler": kinds}
