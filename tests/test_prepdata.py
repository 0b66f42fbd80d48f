"""stats.json under the names that builders use."""

import json
from pathlib import Path

import pytest

from progtrain.errors import WorkspaceError
from progtrain.prepdata import read_stats


@pytest.mark.parametrize(
    "counts",
    [
        {"num_train": 30, "num_valid": 10},
        {"train_samples": 30, "val_samples": 10},
        {"splits": {"train": {"num_samples": 30}, "validation": {"num_samples": 10}}},
        {"splits": {"train": 30, "val": 10}},
        {"train": {"count": 30}, "valid": {"n": 10}},
        {"n_train": 30, "n_val": 10},
    ],
)
def test_counts_are_found_under_any_name_in_use(tmp_path: Path, counts: dict[str, object]) -> None:
    (tmp_path / "stats.json").write_text(json.dumps({"task_type": "classification", **counts}))
    stats = read_stats(tmp_path)
    assert (stats.task_type, stats.num_train, stats.num_valid) == ("classification", 30, 10)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('{"num_train": 3}', "task_type"),
        ('{"task_type": "regression", "rows": 3}', "rows"),
        ("[1]", "list"),
        ("{", "not JSON"),
    ],
)
def test_what_is_missing_is_named(tmp_path: Path, text: str, named: str) -> None:
    (tmp_path / "stats.json").write_text(text)
    with pytest.raises(WorkspaceError, match=named):
        read_stats(tmp_path)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match=r"stats\.json"):
        read_stats(tmp_path)
