"""What the value of a knob may be, as far as no script has to be known for it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue


@dataclass(frozen=True)
class _Range:
    low: float
    high: float = math.inf
    whole: bool = False
    only_numbers: bool = True
    """Whether words and lists mean nothing here; the widths of layers may be a list."""

    def __str__(self) -> str:
        kind = "a whole number" if self.whole else "a number"
        return f"{kind} of at least {self.low:g}" + ("" if math.isinf(self.high) else f" and at most {self.high:g}")


_COUNT: Final = _Range(1, whole=True)
_RANGES: Final[dict[str, _Range]] = {
    "epochs": _COUNT,
    "max_steps": _Range(-1, whole=True),
    "batch_size": _COUNT,
    "accumulate": _COUNT,
    "workers": _Range(0, whole=True),
    "seed": _Range(0, 2**32 - 1, whole=True),
    "lr": _Range(0),
    "weight_decay": _Range(0),
    "momentum": _Range(0, 1),
    "dropout": _Range(0, 1),
    "label_smoothing": _Range(0, 1),
    "gradient_clip": _Range(0),
    "width": _Range(1, whole=True, only_numbers=False),
    "layers": _Range(0, whole=True, only_numbers=False),
}


def in_range(knob: str, value: JsonValue) -> JsonValue:
    """The value that a user gives a knob; `3.0` is 3 where it counts something.

    Args:
        knob: canonical name.
        value: None stands for no such thing.

    Raises:
        ValueError: the knob cannot have that value in any script.
    """
    allowed = _RANGES.get(knob)
    if allowed is None or value is None:
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        if isinstance(value, bool) or allowed.only_numbers:
            raise ValueError(f"expected {allowed}")
        return value
    is_whole = isinstance(value, int) or value.is_integer()
    if not allowed.low <= value <= allowed.high or (allowed.whole and not is_whole):
        raise ValueError(f"expected {allowed}")
    return int(value) if allowed.whole else value
