"""The loop on lines of text and on a table: their examples, cut down to what a test has time for."""

import json
import shutil
from pathlib import Path

import pandas as pd

from progtrain.workspace import Workspace

from .conftest import Run, hold_against_written_rules, leaderboard


def set_epochs(root: Path, epochs: int) -> None:
    path = root / "user_defined_rules.json"
    rules = json.loads(path.read_text())
    path.write_text(json.dumps({**rules, "training_config": {"epochs": epochs}}))


def keep(root: Path, counts: dict[str, int]) -> None:
    """The first samples of every split."""
    prepdata = root / "dataset" / "prepdata" / "v1"
    stats = json.loads((prepdata / "stats.json").read_text())
    for split, count in counts.items():
        listing = prepdata / split / f"{split}.jsonl"
        listing.write_text("".join(listing.read_text().splitlines(keepends=True)[:count]))
        stats["splits"][split]["num_samples"] = count
    (prepdata / "stats.json").write_text(json.dumps(stats))


def test_lines_of_text(tmp_path: Path, progtrain: Run) -> None:
    root = tmp_path / "ocr"
    assert progtrain("new", "ocr", root).returncode == 0
    keep(root, {"train": 192, "valid": 64, "test": 40})
    set_epochs(root, 1)
    ended = progtrain("run", root, "--max-versions", "2")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    hold_against_written_rules(root)
    rows = {row["version_id"]: row for row in leaderboard(root)}
    assert set(rows) == {"v001", "v002", "tesseract"}
    if shutil.which("tesseract") is None:
        assert rows["tesseract"]["metric__cer"] == ""
        (report,) = (root / "Models" / "Report").iterdir()
        assert "apt install tesseract-ocr" in (report / "final-analysis.md").read_text()
    sample = Workspace(root).artifacts("v001") / "infer_samples" / "0001"
    shown = {path.name for path in sample.iterdir()}
    assert shown == {"input.png", "output.txt", "gt.txt", "viz.png", "meta.json", "request.json"}


def test_a_table(tmp_path: Path, progtrain: Run) -> None:
    root = tmp_path / "tabular"
    assert progtrain("new", "tabular", root).returncode == 0
    set_epochs(root, 1)
    ended = progtrain("run", root, "--max-versions", "2")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    hold_against_written_rules(root)
    assert {"metric__mae", "metric__rmse", "metric__r2", "metric__mape"} <= set(leaderboard(root)[0])
    sample = Workspace(root).artifacts("v001") / "infer_samples" / "0001"
    assert list(pd.read_csv(sample / "input.csv").columns[:2]) == ["carat", "cut"]
    (report,) = (root / "Models" / "Report").iterdir()
    page = (report / "final-analysis.md").read_text()
    assert "## The hidden test split" in page
    assert "| v001 | mae |" in page
