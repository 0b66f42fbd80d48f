"""The same loop on a script of another habit: argparse, loaders in main(), regression, no versions in mind."""

from pathlib import Path

from progtrain.workspace import Workspace

from .conftest import Run, hold_against_written_rules, leaderboard


def test_regression_script_is_patched_and_walks_through(tmp_path: Path, progtrain: Run) -> None:
    root = tmp_path / "regression"
    assert progtrain("new", "regression", root).returncode == 0
    ended = progtrain("run", root, "--max-versions", "3")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    hold_against_written_rules(root)
    rows = leaderboard(root)
    assert sorted(row["version_id"] for row in rows) == ["v001", "v002", "v003"]
    assert [float(row["metric__mse"]) for row in rows] == sorted(float(row["metric__mse"]) for row in rows)
    assert "VERSION" in Workspace(root).baseline_script.read_text()
    report = (root / "Models/Artifacts/baseline/_tests/baseline_patch_report.md").read_text()
    assert "VERSION" in report
