"""A checkpoint, an early stopping or a plateau watches a figure that is not logged."""

from __future__ import annotations

import re

from progtrain.errors import EditError
from progtrain.repairs._literals import nearest, renamed
from progtrain.repairs.base import Failure, Repair

_WATCHED = (
    re.compile(r"monitor='(?P<old>[^']+)'\)` could not find the monitored key[^:]*: \[(?P<there>[^\]]*)\]"),
    re.compile(r"conditioned on metric `?(?P<old>[^\s`]+)`? which is not available.*?(?P<there>\[[^\]]*\]|`.*)"),
)


class FigureNotLogged(Repair):
    """Watch the figure of the same meaning that is logged."""

    signs = re.compile(
        "|".join(f"(?:{each.pattern.replace('?P<old>', '').replace('?P<there>', '')})" for each in _WATCHED)
    )
    cause = "a figure is watched that the script does not log"
    touches = frozenset({"monitor", "callbacks", "scheduler"})

    def apply(self, source: str, failure: Failure) -> tuple[str, str]:
        """See Repair."""
        found = next((match for form in _WATCHED if (match := form.search(failure.text))), None)
        if found is None:
            raise EditError("Expected the name of a figure in the failure, got none.")
        old, there = found["old"], re.findall(r"['`]([^'`]+)['`]", found["there"])
        new = nearest(old, there)
        return renamed(source, old, new), f"{new} is watched, in place of {old}"
