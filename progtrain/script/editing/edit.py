"""Setting a knob of a script at the place its value comes from, and adding it where the script names none."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Final

from pydantic import JsonValue

from progtrain.errors import EditError
from progtrain.script.editing.arguments import add_keyword
from progtrain.script.editing.imports import add_import, reference, without_unused
from progtrain.script.reading.anatomy import Knob, read_anatomy
from progtrain.script.reading.index import Index
from progtrain.script.reading.signatures import CROSS_ENTROPIES, LOADER, TRAINER, kind, signature
from progtrain.script.reading.sites import Sites
from progtrain.script.reading.structure import Edit, rebuild
from progtrain.script.reading.uses import Uses

__all__ = ["add_import", "reference", "set_knob", "set_or_add", "set_places", "without_unused", "written"]

_OPTIMIZER: Final = frozenset({"lr", "momentum", "nesterov", "betas", "weight_decay"})
_LOADER: Final = frozenset({"batch_size", "shuffle", "workers"})
_TRAINER: Final = frozenset({"epochs", "max_steps", "gradient_clip", "accumulate", "precision"})


def set_knob(source: str, knob: str, value: JsonValue) -> str:
    """Replace the literal that a knob's value comes from; everything else stays byte for byte.

    A knob that stands in several places at the same value is set in all of them.

    Args:
        source: the script.
        knob: canonical name.
        value: to be set.

    Raises:
        EditError: the script does not set it, sets it to different values, feeds something else from the same
            place, or has this value already.
    """
    places = [place for place in read_anatomy(source).occurrences if place.name == knob and not place.computed_from]
    if not places:
        raise EditError(f"Expected the script to set {knob}; it does not. Name it in the script first.")
    if any(place.value != places[0].value for place in places):
        lines = ", ".join(f"{place.value!r} in line {place.line}" for place in places)
        raise EditError(f"Expected one value of {knob}, got {lines}. Set them one by one.")
    return set_places(source, [(place, value) for place in places])


def set_places(source: str, settings: Iterable[tuple[Knob, JsonValue]]) -> str:
    """Set several places at once, each to a value of its own.

    Args:
        source: the script that the places were found in.
        settings: places, as `read_anatomy(source)` gives them, and values.

    Raises:
        EditError: a place may not be set, or nothing would change.
    """
    edits = []
    for place, value in settings:
        if place.why_not is not None:
            raise EditError(
                f"Expected to set {place.name} in line {place.line} ({place.where}), but {place.why_not}. "
                "Give it a place of its own."
            )
        if value != place.value or isinstance(value, bool) != isinstance(place.value, bool):
            edits.append(Edit(place.start, place.end, written(value, source[place.start : place.end])))
    if not edits:
        raise EditError("Expected a change, got the values that are there already. Choose others.")
    return rebuild(source, edits)


def set_or_add(source: str, knob: str, value: JsonValue) -> str:
    """Set a knob, or where the script does not name it, pass it to the call that takes it.

    Args:
        source: the script.
        knob: canonical name.
        value: to be set.

    Raises:
        EditError: as `set_knob`, or no one call takes it.
    """
    if any(place.name == knob for place in read_anatomy(source).occurrences):
        return set_knob(source, knob, value)
    index = Index(source)
    uses = Uses(index, Sites(index))
    calls, named = _takers(index, uses, knob), dict(uses.named)
    keywords = {
        argument: call
        for call in calls
        if (known := signature(named.get(call, "")))
        for argument, sets in known.knobs.items()
        if sets == knob and (argument in known.positional or not known.positional)
    }
    if len(keywords) != 1 or len(calls) != 1:
        raise EditError(
            f"Expected one call that takes {knob}, got {len(calls)} of its kind and {len(keywords)} that take it. "
            "Pass it in the script."
        )
    [(argument, call)] = keywords.items()
    return rebuild(source, add_keyword(index, call, f"{argument}={written(value, '')}"))


def written(value: JsonValue, old: str) -> str:
    """A value as people write it, in the manner of the literal it replaces: `1e-5`, `'adam'`, `(0.9, 0.95)`.

    Args:
        value: to be written.
        old: source of the literal there now; empty where there is none.
    """
    quote = old[-1] if old.endswith(("'", '"')) else ""
    match value:
        case str() if quote == "'":
            return repr(value)
        case str():
            return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        case list():
            opened, closed = ("[", "]") if old.startswith("[") else ("(", ")")
            return opened + ", ".join(written(item, "") for item in value) + closed
        case float() | int() if quote and not isinstance(value, bool):
            return quote + _number(value) + quote
        case float():
            return _number(value)
    return repr(value)


def _number(value: float) -> str:
    return repr(value).replace("e-0", "e-").replace("e+0", "e")


def _takers(index: Index, uses: Uses, knob: str) -> list[ast.Call]:
    """The calls that this knob is an argument of, if the script makes any."""
    if knob in _OPTIMIZER:
        return [call for call, name in uses.named if kind(name) == "optimizer"]
    if knob in _TRAINER:
        return uses.calls(TRAINER)
    if knob in _LOADER:
        train = uses.train_loader()
        return [train[0]] if train is not None else uses.calls(LOADER)
    if knob == "label_smoothing":
        calls = uses.calls(*CROSS_ENTROPIES)
        training = [call for call in calls if getattr(index.function(call), "name", "") == "training_step"]
        return training or calls
    return []
