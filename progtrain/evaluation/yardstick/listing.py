"""The prepared data's own listing of validation samples: their ids, and their inputs as a person would see them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from progtrain.workspace import Workspace

_FOLDERS = ("valid", "val", "validation")


@dataclass(frozen=True)
class Listed:
    """One line of `valid/valid.{jsonl,parquet}`.

    Args:
        sample_id: the sample's name.
        value: the raw input where the line holds it.
        file: the raw input where the line names a file.
    """

    sample_id: str
    value: Any = None
    file: Path | None = None


def read_listing(workspace: Workspace, dataset_id: str) -> tuple[Listed, ...] | None:
    """The listing in the order of its lines; None where the prepared data has none with a `sample_id` column."""
    prepdata = workspace.prepdata(dataset_id)
    candidates = [prepdata / name / f"{name}{suffix}" for name in _FOLDERS for suffix in (".jsonl", ".parquet")]
    path = next((candidate for candidate in candidates if candidate.is_file()), None)
    if path is None:
        return None
    table = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_json(path, lines=True, dtype=False)
    if "sample_id" not in table.columns:
        return None
    column = next((name for name in ("path", "input") if name in table.columns), None)
    inputs = [None] * len(table) if column is None else table[column].tolist()
    return tuple(
        _listed(str(sample_id), raw, (path.parent, prepdata))
        for sample_id, raw in zip(table["sample_id"], inputs, strict=True)
    )


def _listed(sample_id: str, raw: Any, folders: Sequence[Path]) -> Listed:
    if isinstance(raw, str):
        file = next((folder / raw for folder in folders if (folder / raw).is_file()), None)
        if file is not None:
            return Listed(sample_id, file=file)
    return Listed(sample_id, value=raw)
