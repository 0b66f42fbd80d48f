"""Whether a knob, as a script is about to train with it, has the value that the user asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from pydantic import JsonValue

#: Knobs with an entry for each place in the network, of which the last may have to be another (a sigmoid at the end).
_ALONG_THE_NETWORK: Final = frozenset({"activation", "normalization", "loss", "width"})
_ENDINGS: Final = re.compile(r"(loss|lr|\dd)$")


def is_there(live: JsonValue) -> bool:
    """Whether a script has such a thing at all; 0 and False are values like any other."""
    return live is not None and live not in ([], "")


def agrees(knob: str, live: JsonValue, wanted: JsonValue) -> bool | None:
    """Hold a live value against a wanted one.

    Numbers are compared by value, names whatever their case and manner of writing (`CrossEntropyLoss`,
    `cross_entropy`); one wanted value stands for all parameter groups.

    Args:
        knob: canonical name.
        live: its value in `knob_values`.
        wanted: as the user wrote it.

    Returns:
        None where they cannot be compared, as a number of layers with their list.
    """
    if wanted is True:
        return bool(live)
    if wanted in (None, "none") or wanted is False or (wanted == 0 and not is_there(live)):
        return not live or (bool(numbers := list(_numbers(live))) and not any(numbers))
    if isinstance(wanted, str):
        return _is_named(knob, live, wanted)
    if isinstance(wanted, list):
        groups = live if isinstance(live, list) and live and isinstance(live[0], list) else [live]
        return all(each == wanted for each in groups)
    if not isinstance(wanted, int | float):
        return None
    if knob == "precision":
        return _is_named(knob, live, str(wanted))
    numbers = list(_numbers(live[:1] if knob == "gradient_clip" and isinstance(live, list) else live))
    if not numbers:
        return None if is_there(live) else False
    found = [number == wanted for number in numbers]
    return any(found) if knob in _ALONG_THE_NETWORK else all(found)


def _is_named(knob: str, live: JsonValue, wanted: str) -> bool:
    name = _plain(wanted)
    names = [_plain(text) for text in _names(live)]
    if knob in ("precision", "scheduler"):
        return bool(names) and all(text.startswith(name) for text in names)
    found = [text == name for text in names]
    return any(found) if knob in _ALONG_THE_NETWORK else bool(found) and all(found)


def _plain(text: str) -> str:
    """`CrossEntropyLoss` and `cross_entropy(reduction='mean')` alike: `crossentropy`."""
    return _ENDINGS.sub("", re.sub(r"[ _-]", "", text.partition("(")[0]).lower())


def _names(live: JsonValue) -> Iterator[str]:
    for each in live if isinstance(live, list) else [live]:
        name = each.get("type") if isinstance(each, dict) else each
        if isinstance(name, str):
            yield name


def _numbers(live: JsonValue) -> Iterator[float]:
    if isinstance(live, list):
        for each in live:
            yield from _numbers(each)
    elif isinstance(live, int | float):
        yield live
