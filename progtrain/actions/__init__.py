"""The catalogue: every module of this folder that defines an Action is in it."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache

from progtrain.actions.base import Action, Situation
from progtrain.errors import ArgumentError

__all__ = ["Action", "Situation", "action_named", "catalogue"]


@cache
def catalogue() -> Mapping[str, Action]:
    """Name -> action, in the order of names."""
    found: dict[str, Action] = {}
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda module: module.name):
        if module.name.startswith("_") or module.name == "base":
            continue
        loaded = importlib.import_module(f"{__name__}.{module.name}")
        for thing in vars(loaded).values():
            if isinstance(thing, type) and issubclass(thing, Action) and thing.__module__ == loaded.__name__:
                found[thing.name] = thing()
    return found


def action_named(name: str) -> Action:
    """The action of that name.

    Raises:
        ArgumentError: there is none.
    """
    try:
        return catalogue()[name]
    except KeyError:
        raise ArgumentError(f"No action is called {name!r}. `progtrain actions` lists those there are.") from None
