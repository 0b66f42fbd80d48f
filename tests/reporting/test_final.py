import csv
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from progtrain.errors import ReportError
from progtrain.records import EvalScore
from progtrain.reporting.final import REEVALUATION, leaderboard_of, next_report_folder, write_report
from progtrain.reporting.script import render_report_script
from progtrain.step_records import (
    UNREGISTERED,
    ExternalRecord,
    ExternalScore,
    HiddenRecord,
    HiddenScore,
    UnregisteredRecord,
)

MOMENT = datetime(2026, 2, 23, 22, 1, 10, tzinfo=UTC)


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


def test_why_a_model_is_not_registered_stands_on_the_page(finished):
    finished.write_record(UnregisteredRecord(reason="Give it plain values."), UNREGISTERED, "v003")
    write_report(finished, finished.reports / "2026-02-23_22-02")
    page = (finished.reports / "2026-02-23_22-02" / "final-analysis.md").read_text()
    assert page.count("has no registered model") == 1
    assert "Warning: v003 has no registered model: Give it plain values." in page


def test_a_version_that_was_never_evaluated_is_last_with_a_warning(finished):
    (finished.artifacts("v004") / "eval_score.json").unlink()
    board = write_report(finished, finished.reports / "2026-02-23_22-03")
    assert board.rows[-1].version_id == "v004"
    assert "Warning: v004 was not evaluated" in (finished.reports / "2026-02-23_22-03/final-analysis.md").read_text()


def test_models_from_elsewhere_are_listed_as_they_were_measured(finished, make_score):
    for name in ("glm-ocr", "silent", "self-praise"):
        (finished.external / name).mkdir(parents=True)
    score: EvalScore = make_score(("accuracy", 0.99, True))
    (finished.external / "self-praise" / "eval_score.json").write_text(score.model_dump_json())
    measured = ExternalScore(score=score, way="predict", threads=2)
    write_external(finished, "glm-ocr", measured, None)
    write_external(finished, "silent", None, "OSError: no | weights")
    board = write_report(finished, finished.reports / "2026-02-23_22-04")
    ranked = ["glm-ocr", "v002", "v004", "v003", "v001", "self-praise", "silent"]
    assert [row.version_id for row in board.rows] == ranked
    assert board.best == "v002"
    folder = finished.reports / "2026-02-23_22-04"
    assert (folder / "Artifacts/v002/best.ckpt").is_file()
    page = (folder / "final-analysis.md").read_text()
    assert "| glm-ocr | predict | 0.5 | 2 | |" in page
    assert r"| silent | | | | OSError: no \| weights |" in page
    assert "Warning: self-praise was not evaluated" in page


def write_external(workspace, name, measured, reason):
    record = ExternalRecord(name=name, fingerprint="", finished_at=MOMENT, measured=measured, reason=reason)
    workspace.write_record(record, f"external/{name}")


def write_hidden(workspace, version, score, reason=None, seen=(), targets="t"):
    measured = None if score is None else HiddenScore(score=score, targets_sha256=targets, seen_before=seen)
    record = HiddenRecord(version=version, script_sha256="", finished_at=MOMENT, measured=measured, reason=reason)
    workspace.write_record(record, "hidden_split", version)


def test_the_test_split_stands_beside_the_validation_set(finished, make_score):
    write_hidden(finished, "v001", make_score(("accuracy", 0.25, True), ("loss", 1.8, False)))
    write_hidden(finished, "v002", make_score(("accuracy", 0.5, True), ("loss", None, False)), seen=("test/a.npz",))
    write_report(finished, finished.reports / "2026-02-23_22-08")
    page = (finished.reports / "2026-02-23_22-08" / "final-analysis.md").read_text()
    part = page.partition("## The hidden test split")[2].partition("##")[0]
    assert "on 100 samples that no choice was made by" in part
    assert "| v001 | accuracy | 0.25 | 0.25 | +0 |" in part
    assert "| v002 | accuracy | 0.62 | 0.5 | +0.12 |" in part
    assert "| v002 | loss | 1.38 | — | — |" in part
    assert "- v002 opens test/a.npz on its way to training: the split was not hidden from it" in part


def test_why_there_is_no_test_score_is_said_once(finished):
    for version in ("v001", "v002"):
        write_hidden(finished, version, None, reason="the script has no test_dataloader")
    write_report(finished, finished.reports / "2026-02-23_22-09")
    page = (finished.reports / "2026-02-23_22-09" / "final-analysis.md").read_text()
    assert page.count("no test_dataloader") == 1
    assert "- v001, v002: the script has no test_dataloader" in page


def test_scores_on_other_test_targets_are_not_compared_in_silence(finished, make_score):
    for version in ("v001", "v002"):
        write_hidden(finished, version, make_score(("accuracy", 0.5, True)), targets=version)
    write_report(finished, finished.reports / "2026-02-23_22-10")
    page = (finished.reports / "2026-02-23_22-10" / "final-analysis.md").read_text()
    assert "do not give the same targets" in page


def test_without_a_test_split_nothing_is_said_of_one(report):
    assert "test split" not in (report / "final-analysis.md").read_text()


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
