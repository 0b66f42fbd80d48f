"""A string of a script that names something which is not there, and what to name in its place."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable

from progtrain.errors import EditError
from progtrain.script.reading.structure import ParsedScript, rebuild


def renamed(source: str, old: str, new: str) -> str:
    """The script with the one string `old` that is an argument or an entry replaced, in its own quotes.

    Raises:
        EditError: it stands nowhere, or a figure is logged by it.
    """
    script = ParsedScript(source)
    places = [node for node in ast.walk(script.tree) if isinstance(node, ast.Constant) and node.value == old]
    if not places:
        raise EditError(f"Expected {old!r} written out, found it nowhere. Name {new!r} where it comes from.")
    return rebuild(source, [script.replace(place, script.text(place).replace(old, new)) for place in places])


def nearest(wanted: str, available: Iterable[str]) -> str:
    """The name of a figure that most likely was meant: of the same words, else the only loss of a validation.

    Raises:
        EditError: none, or several.
    """
    names = [name for name in available if name not in ("epoch", "step") and not name.startswith("train")]
    words = {_meaning(word) for word in _words(wanted)}
    alike = [name for name in names if {_meaning(word) for word in _words(name)} == words]
    losses = [name for name in names if "loss" in words and "loss" in _words(name)]
    for found in (alike, losses, names):
        if len(found) == 1:
            return found[0]
    raise EditError(f"Expected one figure in place of {wanted!r}, got {', '.join(names) or 'none'}. Name one of them.")


def _words(name: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", name.lower())


def _meaning(word: str) -> str:
    return {"valid": "val", "validation": "val", "dev": "val", "acc": "accuracy"}.get(word, word)
