"""The knobs whose one number may be searched, in the order of their importance, and the range of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from pydantic import JsonValue

from progtrain.actions._one_knob_study import Range
from progtrain.records import Snapshot

#: A rate and a clipping threshold are searched up to so many times what they are, either way: on parabolas in the
#: logarithm 5 came nearer to the optimum in three to six steps than 3 or 10, from far and near taken together.
_FACTOR: Final = 5.0
_RATES: Final = (1e-6, 1.0)
_CLIPS: Final = (1e-2, 1e2)
_SMALLEST_DECAY: Final = 1e-6
_LARGEST_DECOUPLED_DECAY: Final = 0.5
#: Where decay goes through the gradient.
_LARGEST_COUPLED_DECAY: Final = 1e-2
_DROPOUTS: Final = (0.0, 0.6)
_SMOOTHINGS: Final = (0.0, 0.3)
_MOMENTA: Final = (0.5, 0.99)
#: Batch sizes are searched by halving and doubling, twice either way. Batch normalization wants no fewer than 16.
_BATCH_FACTORS: Final = (0.25, 0.5, 1, 2, 4)
_BATCH_SIZES: Final = (16, 512)


def _around(present: float, bounds: tuple[float, float]) -> Range:
    low, high = max(bounds[0], present / _FACTOR), min(bounds[1], present * _FACTOR)
    return Range(float(f"{low:.3g}"), float(f"{high:.3g}"), log=True)


def _decays(present: float, snapshot: Snapshot) -> Range:
    decoupled = all(optimizer.type == "AdamW" for optimizer in snapshot.optimizers)
    return Range(_SMALLEST_DECAY, _LARGEST_DECOUPLED_DECAY if decoupled else _LARGEST_COUPLED_DECAY, log=True)


def _batch_sizes(present: float, snapshot: Snapshot) -> Range | None:
    size = snapshot.train.size if snapshot.train is not None else None
    smallest, largest = _BATCH_SIZES[0], min(_BATCH_SIZES[1], size or _BATCH_SIZES[1])
    sizes = [present * factor for factor in _BATCH_FACTORS]
    among = tuple(int(each) for each in sizes if each == int(each) and smallest <= each <= largest)
    return Range(min(among), max(among), log=True, among=among) if among else None


def _momenta(present: float, snapshot: Snapshot) -> Range | None:
    # A cyclic schedule moves momentum by itself, whatever the optimizer was given; and without momentum, to add some
    # is another change than to tune it.
    cyclic = any("Cycl" in scheduler.type for scheduler in snapshot.schedulers)
    return Range(*_MOMENTA) if present and not cyclic else None


#: Knob -> its range, given the present number; the most important first.
_RANGES: Final[Mapping[str, Callable[[float, Snapshot], Range | None]]] = {
    "lr": lambda present, _: _around(present, _RATES),
    "weight_decay": _decays,
    "dropout": lambda present, _: Range(*_DROPOUTS),
    "batch_size": _batch_sizes,
    "label_smoothing": lambda present, _: Range(*_SMOOTHINGS),
    "momentum": _momenta,
    "gradient_clip": lambda present, _: _around(present, _CLIPS),
}
TUNABLE: Final = tuple(_RANGES)


def numbers(knobs: Mapping[str, JsonValue]) -> dict[str, float]:
    """The tunable knobs that have one number, the most important first.

    Args:
        knobs: as `knob_values` gives them, of the parent or of an earlier version.
    """
    found = {knob: _number(knob, knobs.get(knob)) for knob in TUNABLE}
    return {knob: number for knob, number in found.items() if number is not None}


def ranges(present: Mapping[str, float], snapshot: Snapshot) -> dict[str, Range]:
    """The ranges of the knobs that have a number, where there is more than one value to choose.

    Args:
        present: the parent's numbers.
        snapshot: of the parent.
    """
    found = {knob: _RANGES[knob](number, snapshot) for knob, number in present.items()}
    return {knob: each for knob, each in found.items() if each is not None and each.low < each.high}


def _number(knob: str, value: JsonValue) -> float | None:
    """A knob's one number, also where it stands in several places."""
    if knob == "gradient_clip" and isinstance(value, list):
        value = value[0]  # beside the algorithm
    values = value if isinstance(value, list) else [value]
    found = {each for each in values if isinstance(each, int | float) and not isinstance(each, bool)}
    alike = len(found) == 1 and all(each in found for each in values)
    return found.pop() if alike else None
