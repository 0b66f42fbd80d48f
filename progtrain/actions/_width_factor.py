"""What the actions that make hidden layers wider or narrower have in common."""

from __future__ import annotations

import ast
from typing import ClassVar

from progtrain.actions._occurrences import EveryOccurrence, Place
from progtrain.errors import EditError
from progtrain.script.reading.anatomy import Anatomy
from progtrain.script.reading.structure import ParsedScript, argument

NARROWEST, WIDEST = 8, 2048
_NORM_SIZES = {"BatchNorm1d": "num_features", "BatchNorm2d": "num_features", "LayerNorm": "normalized_shape"}


class WidthFactor(EveryOccurrence):
    """Multiply every hidden width; the sizes of input and output stay.

    Attributes:
        factor: what each width is multiplied by.
    """

    family = "capacity"
    touches = frozenset({"width"})
    knob = "width"
    factor: ClassVar[float]

    def value_for(self, present: float) -> float:
        """See EveryOccurrence; a width of 0 says that there is no such layer, and stays."""
        if present == 0:
            return present
        width = int(present * self.factor)
        if not NARROWEST <= width <= WIDEST or width != present * self.factor:
            raise EditError(f"a width of {present:g} cannot become {present * self.factor:g}")
        return width

    def places(self, anatomy: Anatomy) -> tuple[Place, ...]:
        """See EveryOccurrence; a normalization that writes its size as a number goes with its layer."""
        places = super().places(anatomy)
        widths = {place.value for place in places}
        script = ParsedScript(anatomy.source)
        sizes = [
            argument(call, 0, keyword)
            for call in script.calls()
            if (keyword := _NORM_SIZES.get(script.called(call).removeprefix("torch.nn.")))
        ]
        literals = [
            Place(script.start(size), script.end(size), size.value)
            for size in sizes
            if isinstance(size, ast.Constant) and isinstance(size.value, int) and size.value in widths
        ]
        return tuple(sorted({*places, *literals}))
