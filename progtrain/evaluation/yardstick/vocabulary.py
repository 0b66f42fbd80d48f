"""The symbols behind the classes of a model that answers with texts, as builders of data sets leave them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

_NAMES: Final = ("vocabulary", "vocab", "alphabet", "characters", "charset", "symbols", "tokens")


def read_vocabulary(prepdata: Path) -> tuple[str, ...]:
    """The symbol of every class, from `common/vocabulary.json` (or vocab, alphabet, …) or that key of stats.json.

    Args:
        prepdata: folder of the prepared data set.

    Returns:
        Symbol i stands for class i; empty where there is no such file or key.
    """
    for name in _NAMES:
        path = prepdata / "common" / f"{name}.json"
        if path.is_file():
            return _symbols(json.loads(path.read_text(encoding="utf-8")))
    stats = prepdata / "stats.json"
    said = json.loads(stats.read_text(encoding="utf-8")) if stats.is_file() else {}
    return next((_symbols(said[name]) for name in _NAMES if isinstance(said.get(name), str | list | dict)), ())


def spell(classes: Sequence[int], vocabulary: Sequence[str]) -> str:
    """The text of a sequence of classes; words are set apart where symbols are longer than one character."""
    symbols = [vocabulary[index] for index in classes]
    apart = any(len(symbol) > 1 and not symbol.startswith("<") for symbol in vocabulary)
    return (" " if apart else "").join(symbol for symbol in symbols if symbol)


def _symbols(said: Any) -> tuple[str, ...]:
    """A list or a string in the order of classes, or a mapping between symbols and classes, in either direction."""
    if not isinstance(said, dict):
        return tuple(str(symbol) for symbol in said)
    pairs = [(index, symbol) if isinstance(index, int) else (int(symbol), index) for symbol, index in said.items()]
    return tuple(str(symbol) for _, symbol in sorted(pairs))
