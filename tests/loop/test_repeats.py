"""The first version is trained again with other seeds, and verdicts hold the noise that this shows."""

import json
from pathlib import Path

from mlflow import MlflowClient

from progtrain.step_records import AnalyzeRecord, RepeatRecord
from progtrain.workspace import Workspace

from .conftest import Run, hold_against_written_rules, write_rules


def test_repeats_are_made_once_and_widen_the_verdicts(workspace: Path, progtrain: Run) -> None:
    write_rules(workspace, max_versions=2)
    rules = json.loads((workspace / "user_defined_rules.json").read_text())
    rules["loop_config"]["noise_repeats"] = 2
    (workspace / "user_defined_rules.json").write_text(json.dumps(rules))
    ended = progtrain("run", workspace)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    opened = Workspace(workspace)
    repeats = [opened.read_record(RepeatRecord, f"repeat_{number:02d}", "v001") for number in (1, 2)]
    assert [repeat.seed for repeat in repeats if repeat] == [43, 44]
    analyzed = opened.read_record(AnalyzeRecord, "analyze", "v002")
    assert analyzed is not None
    assert analyzed.comparison.noise is not None
    assert analyzed.comparison.noise.repeats == 2
    assert analyzed.comparison.noise.deviation > 0
    page = (opened.artifacts("v002") / "result-analysis.md").read_text()
    assert "standard deviation over 3 trainings that differ in their seeds alone" in page
    assert opened.versions() == ("v001", "v002")
    hold_against_written_rules(workspace)
    _hold_against_the_store(workspace)
    _only_what_is_missing_is_repeated(workspace, progtrain)


def _hold_against_the_store(workspace: Path) -> None:
    client = MlflowClient(f"sqlite:///{workspace / 'mlflow.db'}")
    (experiment,) = client.search_experiments(filter_string=f"name = '{workspace.name}'")
    found = client.search_runs([experiment.experiment_id], "tags.`progtrain.kind` = 'repeat'")
    versions = client.search_runs([experiment.experiment_id], "tags.`progtrain.kind` = 'version'")
    (first,) = (run for run in versions if run.data.tags["progtrain.version"] == "v001")
    assert {run.data.tags["mlflow.parentRunId"] for run in found} == {first.info.run_id}
    assert sorted(run.data.params["seed"] for run in found) == ["43", "44"]
    assert all("accuracy" in run.data.metrics and run.info.status == "FINISHED" for run in found)


def _only_what_is_missing_is_repeated(workspace: Path, progtrain: Run) -> None:
    """As after a kill between two repeats: the first is kept, the second comes out the same."""
    state = workspace / ".progtrain" / "v001"
    kept, lost = (state / f"repeat_{number:02d}.json" for number in (1, 2))
    before, second = kept.stat().st_mtime_ns, json.loads(lost.read_text())["score"]["metrics"]
    lost.unlink()
    assert progtrain("analyze", workspace, "--version", "v002").returncode == 0
    assert kept.stat().st_mtime_ns == before
    assert json.loads(lost.read_text())["score"]["metrics"] == second
