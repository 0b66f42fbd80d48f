import csv
import re
import subprocess
import sys
from pathlib import Path

import pytest

from progtrain.errors import ReportError
from progtrain.records import EvalScore
from progtrain.reporting.final import REEVALUATION, leaderboard_of, next_report_folder, write_report
from progtrain.reporting.script import render_report_script


@pytest.fixture
def report(finished) -> Path:
    folder = finished.reports / "2026-02-23_22-01"
    write_report(finished, folder)
    return folder


def test_every_version_stands_in_the_leaderboard_and_its_artifact_is_there(report, finished):
    with (report / "leaderboard.csv").open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert [row["version_id"] for row in rows] == ["v002", "v004", "v003", "v001"]
    assert [row.version_id for row in leaderboard_of(finished).rows] == ["v002", "v004", "v003", "v001"]
    assert all((report / row["artifact_relpath"]).is_file() for row in rows)


def test_the_best_artifacts_are_copied_whole(report, finished):
    for name in ("best.ckpt", "spec.json", "additional_assets/label_map.json"):
        assert (report / "Artifacts/v002" / name).read_bytes() == (finished.artifacts("v002") / name).read_bytes()


def test_the_analysis_explains_the_first_three(report):
    page = (report / "final-analysis.md").read_text()
    for version in ("v002", "v004", "v003"):
        assert f"All about {version}." in page
    assert page.count("the greatest gain first: adamw (v002, +0.37).") == 3
    assert "| v002 | v001 | adamw: what follows v001 | 0.62 | +0.37 | +0.32 to +0.42 | improved |" in page
    assert "> progtrain v001 -> v002" in page
    assert "not enforced by the machine: keep the answer time short" in page


def test_drift_on_re_evaluation_is_named(finished, make_score):
    finished.write_record(make_score(("accuracy", 0.6, True), ("loss", 1.38, False)), REEVALUATION, "v002")
    finished.write_record(make_score(("accuracy", 0.25, True), ("loss", 1.75, False)), REEVALUATION, "v001")
    write_report(finished, finished.reports / "2026-02-23_22-02")
    page = (finished.reports / "2026-02-23_22-02" / "final-analysis.md").read_text()
    assert "Drift: v002: accuracy was 0.62 and is 0.6 now" in page
    assert "Drift: v001" not in page


def test_a_version_that_was_never_evaluated_is_last_with_a_warning(finished):
    (finished.artifacts("v004") / "eval_score.json").unlink()
    board = write_report(finished, finished.reports / "2026-02-23_22-03")
    assert board.rows[-1].version_id == "v004"
    assert "Warning: v004 was not evaluated" in (finished.reports / "2026-02-23_22-03/final-analysis.md").read_text()


def test_models_from_elsewhere_are_listed(finished, make_score):
    for name in ("glm-ocr", "silent"):
        (finished.external / name).mkdir(parents=True)
    score: EvalScore = make_score(("accuracy", 0.99, True))
    (finished.external / "glm-ocr" / "eval_score.json").write_text(score.model_dump_json())
    board = write_report(finished, finished.reports / "2026-02-23_22-04")
    assert [row.version_id for row in board.rows] == ["glm-ocr", "v002", "v004", "v003", "v001", "silent"]
    assert (finished.reports / "2026-02-23_22-04/Artifacts/v002/best.ckpt").is_file()


def test_without_records_the_pages_are_enough(finished):
    for version in finished.versions():
        for name in ("author", "analyze", "evaluate"):
            finished.forget(name, version)
    board = write_report(finished, finished.reports / "2026-02-23_22-05")
    assert board.best == "v002"


def test_a_report_is_never_overwritten_and_lies_nowhere_else(finished, report):
    with pytest.raises(ReportError, match="never overwritten"):
        write_report(finished, report)
    with pytest.raises(ReportError, match="Expected a folder in"):
        write_report(finished, finished.root / "elsewhere")


def test_without_the_best_checkpoint_there_is_no_report(finished):
    for version in finished.versions():
        (finished.artifacts(version) / "best.ckpt").unlink()
    with pytest.raises(ReportError, match="best version's checkpoint"):
        write_report(finished, finished.reports / "2026-02-23_22-06")
    assert not finished.reports.exists()


def test_the_next_folder_is_one_that_is_free(finished):
    first = next_report_folder(finished)
    first.mkdir(parents=True)
    second = next_report_folder(finished)
    assert second != first
    assert re.fullmatch(r"\d{4}-\d{2}-\d{2}_\d{2}-\d{2}", second.name)


def test_the_script_writes_a_report_when_run_by_hand(finished):
    finished.report_script.write_text(render_report_script())
    command = [sys.executable, finished.report_script.name, "--folder", "Models/Report/2026-02-23_22-07"]
    first = subprocess.run(command, cwd=finished.root, capture_output=True, text=True, check=True)
    assert first.stdout.splitlines()[1].split()[:3] == ["1", "v002", "0.62"]
    again = subprocess.run(command, cwd=finished.root, capture_output=True, text=True, check=False)
    assert again.returncode == 1
    assert "never overwritten" in again.stderr
    assert "Traceback" not in again.stderr
