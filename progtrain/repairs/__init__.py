"""The catalogue of repairs: every module of this folder that defines a Repair is in it."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache

from progtrain.errors import EditError
from progtrain.repairs.base import Failure, Repair

__all__ = ["Failure", "Mended", "Repair", "mended", "repairs"]


@dataclass(frozen=True)
class Mended:
    """A script after a repair.

    Args:
        repair: its name.
        cause: of the failure, in words.
        change: what the script has otherwise.
        touches: the canonical knobs that may differ.
        source: of the script.
    """

    repair: str
    cause: str
    change: str
    touches: frozenset[str]
    source: str


@cache
def repairs() -> tuple[Repair, ...]:
    """Every repair, in the order of names."""
    found: list[Repair] = []
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda module: module.name):
        if module.name.startswith("_") or module.name == "base":
            continue
        loaded = importlib.import_module(f"{__name__}.{module.name}")
        for thing in vars(loaded).values():
            if isinstance(thing, type) and issubclass(thing, Repair) and thing.__module__ == loaded.__name__:
                found.append(thing())
    return tuple(found)


def mended(source: str, failure: Failure, locked: Collection[str]) -> Iterator[Mended]:
    """What may mend a failure, one after the other.

    Args:
        source: of the script that failed.
        failure: how.
        locked: canonical knobs that the rules hold; a repair that may change one of them is left out.
    """
    for repair in repairs():
        if not repair.recognises(failure) or repair.touches & {*locked}:
            continue
        try:
            after, change = repair.apply(source, failure)
        except EditError:
            continue
        if after != source:
            yield Mended(repair.name, repair.cause, change, repair.touches, after)
