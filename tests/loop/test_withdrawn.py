"""A change of progtrain's own that fails in training costs one training: another takes its place, or the loop ends."""

import json
import shutil
from pathlib import Path

import pytest
from mlflow import MlflowClient

from .conftest import Run, hold_against_written_rules, leaderboard
from .test_resume import kill_when_there, wait_until_gone

WITHDRAWN = ".progtrain/v001/withdrawn_01.json"
RETRIES = "Models/Artifacts/v002/_tests/train_retry_report.md"
ERROR = "RuntimeError: no GELU here (line"
CHECK = """
        if self.trainer.global_step > 3 and any(isinstance(each, nn.GELU) for each in self.modules()):
            raise RuntimeError("no GELU here")
        x, y = batch
        loss ="""


@pytest.fixture
def failing(workspace: Path) -> Path:
    """A workspace whose training does not bear one of the two changes that may be made."""
    script = workspace / "02_train_baseline.py"
    source = script.read_text()
    script.write_text(source.replace("\n        x, y = batch\n        loss =", CHECK, 1))
    allow(workspace, "gelu", "silu")
    return workspace


def allow(root: Path, *actions: str) -> None:
    path = root / "user_defined_rules.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "constraints": {"allow": actions}}))


def fields(root: Path) -> list[dict[str, str]]:
    """The attempts in train_retry_report.md."""
    _, *sections = (root / RETRIES).read_text().split("## attempt ")
    lines = [[line[2:].split(": ", 1) for line in each.splitlines() if line.startswith("- ")] for each in sections]
    return [dict(each) for each in lines]


def test_the_next_best_change_takes_its_place_under_the_same_number(failing: Path, progtrain: Run) -> None:
    ended = progtrain("run", failing)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert json.loads((failing / ".progtrain/v002/author.json").read_text())["action"] == "silu"
    assert "SiLU" in (failing / "02_train_v002.py").read_text()
    first, second = fields(failing)
    assert first["error_summary"].startswith(ERROR)
    assert (first["attempt"], first["code_change_summary"], first["status"]) == ("1", "none", "FAIL")
    assert first["root_cause_hypothesis"] == "the script does not bear gelu: without that change it was trained"
    assert (second["attempt"], second["status"]) == ("2", "PASS")
    assert second["code_change_summary"] == "gelu is withdrawn, silu takes its place"
    assert "it was withdrawn: " + ERROR in (failing / "Models/Artifacts/v001/action-extract.md").read_text()
    report = next((failing / "Models" / "Report").iterdir())
    assert "| v002 | gelu | " + ERROR in (report / "final-analysis.md").read_text()
    hold_against_written_rules(failing)
    client = MlflowClient(f"sqlite:///{failing / 'mlflow.db'}")
    runs = client.search_runs([each.experiment_id for each in client.search_experiments()])
    kinds = {run.info.run_name: (run.data.tags["progtrain.kind"], run.info.status) for run in runs}
    assert kinds["v002 (attempt, failed)"] == ("attempt", "FAILED")
    assert kinds["v002 silu"] == ("version", "FINISHED")
    failed = next(run for run in runs if run.info.run_name == "v002 (attempt, failed)")
    assert failed.data.tags["progtrain.failure"].startswith(ERROR)
    assert failed.data.tags["progtrain.action"] == "gelu"


def test_where_none_takes_its_place_the_loop_ends_with_a_report_once(failing: Path, progtrain: Run) -> None:
    allow(failing, "gelu")
    ended = progtrain("run", failing)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert [row["version_id"] for row in leaderboard(failing)] == ["v001"]
    assert not (failing / "02_train_v002.py").exists()
    assert [each["status"] for each in fields(failing)] == ["FAIL"]
    hold_against_written_rules(failing)
    log = failing / ".progtrain" / "v002" / "train.log"
    before = log.stat().st_mtime_ns
    again = progtrain("run", failing)
    assert again.returncode == 0, again.stdout + again.stderr
    assert "The loop is finished: the best is v001" in again.stdout
    assert log.stat().st_mtime_ns == before
    retrained = progtrain("run", failing, "--retrain")
    assert retrained.returncode == 0, retrained.stdout + retrained.stderr
    assert "gelu is withdrawn" in retrained.stdout


def test_killed_while_a_change_is_withdrawn_it_ends_as_if_never_killed(
    failing: Path, tmp_path: Path, progtrain: Run
) -> None:
    whole = Path(shutil.copytree(failing, tmp_path / "whole" / "signals"))
    assert progtrain("run", whole).returncode == 0
    for moment in (".progtrain/v002/author.json", WITHDRAWN):
        wait_until_gone(kill_when_there(failing, moment))
    ended = progtrain("run", failing)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert leaderboard(failing) == leaderboard(whole)
    assert fields(failing) == fields(whole)
    for name in ("02_train_v002.py", "Models/Artifacts/v001/action-extract.md"):
        assert (failing / name).read_text() == (whole / name).read_text()
    assert len([*(failing / ".progtrain/v001").glob("withdrawn_*.json")]) == 1
    hold_against_written_rules(failing)


def test_what_the_rules_forbid_by_now_is_not_trained(failing: Path, progtrain: Run) -> None:
    wait_until_gone(kill_when_there(failing, ".progtrain/v002/author.json"))
    allow(failing, "silu")
    ended = progtrain("run", failing)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "withdrawn" not in ended.stdout
    assert json.loads((failing / ".progtrain/v002/author.json").read_text())["action"] == "silu"
    assert not (failing / RETRIES).exists()


def test_a_script_edited_by_hand_is_never_replaced(failing: Path, progtrain: Run) -> None:
    assert progtrain("run", failing, "--max-versions", "1").returncode == 0
    script = (failing / "02_train_v001.py").read_text().replace('"v001"', '"v002"')
    edited = script.replace("global_step > 3 and any(", "global_step > 3 and not any(")
    assert edited != script
    (failing / "02_train_v002.py").write_text(edited)
    ended = progtrain("run", failing)
    assert ended.returncode == 1
    assert "v002 could not be trained in 1 attempt" in ended.stderr
    assert (failing / "02_train_v002.py").read_text() == edited
    assert [each["status"] for each in fields(failing)] == ["FAIL"]
