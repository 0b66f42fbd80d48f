"""stats.json under the names that builders use."""

import json
from pathlib import Path

import pytest

from progtrain.errors import WorkspaceError
from progtrain.prepdata import Stats, read_stats


@pytest.mark.parametrize(
    "counts",
    [
        {"num_train": 30, "num_valid": 10},
        {"train_samples": 30, "val_samples": 10},
        {"splits": {"train": {"num_samples": 30}, "validation": {"num_samples": 10}}},
        {"splits": {"train": 30, "val": 10}},
        {"train": {"count": 30}, "valid": {"n": 10}},
        {"n_train": 30, "n_val": 10},
        {"num_samples": {"train": 30, "valid": 10}},
        {"counts": {"training": 30, "dev": 10, "test": 12}},
        {"dataset": {"splits": [{"name": "train", "num_rows": 30}, {"name": "val", "num_rows": 10}]}},
        {"numTrain": 30.0, "numVal": 10},
        {"split_sizes": {"train": 30, "validation": 10}},
        {"train": {"num_samples": 30, "size": 28, "mean": 4, "num_batches": 2}, "valid": {"size": 10}},
        {"num_train_samples": 30, "train": {"examples": 30}, "num_valid_examples": 10},
    ],
)
def test_counts_are_found_under_any_name_in_use(tmp_path: Path, counts: dict[str, object]) -> None:
    (tmp_path / "stats.json").write_text(json.dumps({"task_type": "classification", **counts}))
    stats = read_stats(tmp_path)
    assert (stats.task_type, stats.num_train, stats.num_valid) == ("classification", 30, 10)


@pytest.mark.parametrize(
    "counts",
    [{}, {"rows": 40}, {"train_fraction": 0.8, "train_size": 0.8}, {"num_train_batches": 4}, {"train": True}],
)
def test_counts_that_are_not_there_are_left_to_the_loaders(tmp_path: Path, counts: dict[str, object]) -> None:
    (tmp_path / "stats.json").write_text(json.dumps({"task_type": "regression", **counts}))
    assert read_stats(tmp_path) == Stats("regression", None, None)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('{"num_train": 3}', "task_type"),
        (
            '{"task_type": "regression", "num_train": 3, "splits": {"train": {"n": 4}}}',
            "3 under 'num_train' and 4 under",
        ),
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
