"""The examples: made as `progtrain new` makes them, audited from what they really are about to train, and trained."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from progtrain.errors import WorkspaceError
from progtrain.examples import create, names
from progtrain.executors import Job
from progtrain.executors.local import LocalExecutor
from progtrain.prepdata import read_stats
from progtrain.records import Snapshot
from progtrain.rules import read_rules
from progtrain.script.auditing.audit import Audit, AuditFacts, audit
from progtrain.workspace import Workspace


@pytest.fixture(scope="module")
def executor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalExecutor]:
    with LocalExecutor("warm", tmp_path_factory.mktemp("executor") / "supervisor.log") as warm:
        yield warm


def run(executor: LocalExecutor, workspace: Workspace, *arguments: str) -> None:
    log = workspace.log("baseline", "test")
    assert executor.run(Job(arguments, workspace.root, log)).succeeded, log.read_text()


def audited(executor: LocalExecutor, workspace: Workspace, batch_size: int | None = None) -> Audit:
    """The audit of the script that is on disk, by the Snapshot of what it is about to train."""
    script = workspace.baseline_script
    run(executor, workspace, "-m", "progtrain.script.capturing.capture", script.name, "--output", "snapshot.json")
    snapshot = Snapshot.model_validate_json((workspace.root / "snapshot.json").read_bytes())
    facts = AuditFacts("v1", "baseline", batch_size, read_rules(workspace.root))
    return audit(script.read_text(encoding="utf-8"), snapshot, facts)


@pytest.fixture
def regression(tmp_path: Path) -> Workspace:
    create("regression", tmp_path / "workspace")
    return Workspace(tmp_path / "workspace")


def test_all_are_known() -> None:
    assert names() == ("mnist1d", "ocr", "regression", "tabular")


def test_an_unknown_one_is_refused_with_those_that_are_known(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="mnist1d, ocr, regression, tabular, got 'mnist'"):
        create("mnist", tmp_path / "workspace")


def test_a_folder_with_content_is_refused_and_kept(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(WorkspaceError, match="has content"):
        create("regression", tmp_path)
    assert os.listdir(tmp_path) == ["mine.txt"]


def test_an_example_needs_no_patch_and_its_data_are_whole(executor: LocalExecutor, tmp_path: Path) -> None:
    create("mnist1d", tmp_path / "workspace")
    workspace = Workspace(tmp_path / "workspace")
    prepared = workspace.prepdata("v1")
    stats = read_stats(prepared)
    assert (stats.task_type, stats.num_train, stats.num_valid) == ("classification", 3200, 800)
    index = [json.loads(line) for line in (prepared / "valid" / "valid.jsonl").read_text().splitlines()]
    assert len({row["sample_id"] for row in index}) == 800
    assert {path.name for path in tmp_path.iterdir()} == {"workspace"}
    assert audited(executor, workspace).issues == ()


def test_the_ocr_example_has_the_pictures_that_its_listing_names(executor: LocalExecutor, tmp_path: Path) -> None:
    create("ocr", tmp_path / "workspace")
    workspace = Workspace(tmp_path / "workspace")
    prepared = workspace.prepdata("v1")
    stats = read_stats(prepared)
    assert (stats.task_type, stats.num_train, stats.num_valid) == ("ocr-recognition", 3000, 600)
    lines = {split: listed_lines(prepared / split / f"{split}.jsonl") for split in ("train", "valid", "test")}
    assert [len(found) for found in lines.values()] == [3000, 600, 600]
    assert not set(lines["valid"]) & (set(lines["train"]) | set(lines["test"]))
    assert (workspace.external / "tesseract" / "inference_sample.py").is_file()
    assert audited(executor, workspace).issues == ()


def listed_lines(listing: Path) -> list[str]:
    """The texts of a listing whose pictures are there."""
    rows = [json.loads(line) for line in listing.read_text().splitlines()]
    return [row["text"] for row in rows if (listing.parent / row["path"]).is_file()]


def test_the_tabular_example_has_no_diamond_in_two_splits(executor: LocalExecutor, tmp_path: Path) -> None:
    create("tabular", tmp_path / "workspace")
    workspace = Workspace(tmp_path / "workspace")
    tables = [
        pd.read_parquet(workspace.prepdata("v1") / name / f"{name}.parquet") for name in ("train", "valid", "test")
    ]
    assert [len(table) for table in tables] == [8000, 2000, 2000]
    assert not pd.concat(tables).drop(columns="sample_id").duplicated().any()
    assert audited(executor, workspace).issues == ()


def test_the_script_without_a_thought_of_versions_is_patched_once_and_then_trains(
    executor: LocalExecutor, regression: Workspace
) -> None:
    first = audited(executor, regression, batch_size=64)
    assert {issue.patched for issue in first.issues} == {True}
    regression.baseline_script.write_text(first.source, encoding="utf-8")
    second = audited(executor, regression, batch_size=64)
    assert second.issues == ()
    assert second.source == first.source

    run(executor, regression, regression.baseline_script.name, "--max-epochs", "1")
    home = regression.artifacts("baseline")
    logs = home / "logs" / "version_0"
    outputs = (home / "best.ckpt", home / "last.ckpt", logs / "metrics.csv", logs / "hparams.yaml")
    assert [path.name for path in outputs if not path.is_file()] == []
    assert json.loads((home / "spec.json").read_text()) == {
        "dataset_id": "v1",
        "version": "baseline",
        "model": "Regressor",
        "additional_assets": "not_required",
    }
