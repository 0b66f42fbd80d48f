"""stats.json of a prepared data set: its task and its sample counts, under whichever names a builder chose."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue

from progtrain.errors import WorkspaceError

_VALID_NAMES = ("valid", "val", "validation")
_COUNT_NAMES = ("num_samples", "count", "size", "n", "samples")


@dataclass(frozen=True)
class Stats:
    """What stats.json says; a count is None where none of the names in use is there."""

    task_type: str
    num_train: int | None
    num_valid: int | None


def read_stats(folder: Path) -> Stats:
    """Read `folder`/stats.json.

    Raises:
        WorkspaceError: it is missing, not a JSON object, or names no task_type or no training sample count.
    """
    path = folder / "stats.json"
    try:
        stats = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise WorkspaceError(f"Expected {path}, which names task_type and sample counts: {error.strerror}.") from error
    except ValueError as error:
        raise WorkspaceError(f"{path} is not JSON: {error}. Mend it.") from error
    if not isinstance(stats, dict):
        raise WorkspaceError(f"{path}: expected a JSON object, got {type(stats).__name__}.")
    task_type = stats.get("task_type")
    if not isinstance(task_type, str):
        raise WorkspaceError(f"{path}: expected a string under 'task_type', got the keys {sorted(stats)}. Add it.")
    num_train = _count(stats, ("train", "training"))
    if num_train is None:
        raise WorkspaceError(
            f"{path}: expected the number of training samples, for instance under 'num_train' or "
            f"'splits.train.num_samples', got the keys {sorted(stats)}. Add it."
        )
    return Stats(task_type, num_train, _count(stats, _VALID_NAMES))


def class_names(folder: Path) -> tuple[str, ...]:
    """The name of every class under `classes`, `class_names` or `labels` of `folder`/stats.json; empty without."""
    path = folder / "stats.json"
    stats = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    known = (stats.get(key) for key in ("classes", "class_names", "labels"))
    return tuple(str(name) for name in next((names for names in known if isinstance(names, list)), []))


def _count(stats: dict[str, JsonValue], splits: tuple[str, ...]) -> int | None:
    nested = stats.get("splits")
    for split in splits:
        flat = (f"num_{split}", f"n_{split}", f"{split}_samples", f"{split}_size", f"num_{split}_samples")
        candidates = [stats.get(name) for name in flat]
        candidates.append(nested.get(split) if isinstance(nested, dict) else None)
        candidates.append(stats.get(split))
        for candidate in candidates:
            number = _number(candidate)
            if number is not None:
                return number
    return None


def _number(value: JsonValue) -> int | None:
    if isinstance(value, dict):
        return next((number for name in _COUNT_NAMES if (number := _number(value.get(name))) is not None), None)
    return int(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
