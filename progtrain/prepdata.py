"""stats.json of a prepared data set: its task and its sample counts, under whichever names a builder chose."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import JsonValue

from progtrain.errors import WorkspaceError, shortened
from progtrain.user_files import read_object

_SPLITS: Final = {
    "train": frozenset({"train", "training"}),
    "valid": frozenset({"valid", "val", "validation", "dev"}),
    "test": frozenset({"test", "testing", "holdout"}),
}
#: Words that say of a number that it counts samples; the others may stand beside them.
_COUNTING: Final = frozenset(
    {"num", "n", "nb", "number", "no", "count", "counts", "total", "samples", "examples", "rows", "items", "records"}
)
_BESIDE: Final = _COUNTING | frozenset(
    {"size", "sizes", "len", "length", "lengths", "of", "split", "splits", "set", "sets", "data", "dataset", "images"}
)
_WORDS: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


@dataclass(frozen=True)
class Stats:
    """What stats.json says; a count is None where none of the names in use is there."""

    task_type: str
    num_train: int | None
    num_valid: int | None


def read_stats(folder: Path) -> Stats:
    """Read `folder`/stats.json.

    Raises:
        WorkspaceError: it is missing, not a JSON object, names no task_type, or contradicts itself.
    """
    path = folder / "stats.json"
    if not os.path.lexists(path):
        raise WorkspaceError(f"Expected {path}, which names task_type and sample counts; it is not there. Write it.")
    stats = read_object(path, WorkspaceError)
    task_type = stats.get("task_type")
    if not isinstance(task_type, str):
        keys = shortened(str(sorted(stats)))
        raise WorkspaceError(f"{path}: expected a string under 'task_type', got the keys {keys}. Add it.")
    return Stats(task_type, _count(path, stats, "train"), _count(path, stats, "valid"))


def class_names(folder: Path) -> tuple[str, ...]:
    """The name of every class under `classes`, `class_names` or `labels` of `folder`/stats.json; empty without."""
    path = folder / "stats.json"
    stats = read_object(path, WorkspaceError) if path.is_file() else {}
    known = (stats.get(key) for key in ("classes", "class_names", "labels"))
    return tuple(str(name) for name in next((names for names in known if isinstance(names, list)), []))


def _count(path: Path, stats: dict[str, JsonValue], split: str) -> int | None:
    """The number of samples of a split, wherever it stands; a number that is said to count them outranks a mere size.

    Raises:
        WorkspaceError: two numbers are said to be it.
    """
    found = [(place, number) for place, number in _numbers(stats, ()) if _is_of(place, split)]
    counts = {number: place for place, number in found if _COUNTING & {word for key in place for word in _words(key)}}
    if len(counts) > 1:
        named = " and ".join(f"{number} under {'.'.join(place)!r}" for number, place in counts.items())
        raise WorkspaceError(f"{path}: expected one number of {split} samples, got {named}. Keep the right one.")
    return next(iter([*counts, *(number for _, number in found)]), None)


def _numbers(value: JsonValue, place: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], int]]:
    """Every whole number, and the keys that lead to it; in a list of objects a name is a key."""
    match value:
        case bool():
            return
        case int() | float():
            if value >= 0 and (isinstance(value, int) or value.is_integer()):
                yield place, int(value)
        case dict():
            for key, inner in value.items():
                yield from _numbers(inner, (*place, key))
        case list():
            for inner in value:
                name = (inner.get("name") or inner.get("split")) if isinstance(inner, dict) else None
                if isinstance(name, str):
                    yield from _numbers(inner, (*place, name))


def _is_of(place: tuple[str, ...], split: str) -> bool:
    words = [word for key in place for word in _words(key)]
    named = [name for name, spellings in _SPLITS.items() if spellings & set(words)]
    return named == [split] and all(word in _BESIDE | _SPLITS[split] for word in words)


def _words(key: str) -> list[str]:
    """`num_train`, `numTrain` and `num-train` in words."""
    return [word.lower() for word in _WORDS.findall(key)]
