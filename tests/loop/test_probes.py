"""Before a change is chosen the two best ranked are trained briefly; a loop killed between them goes on from there."""

import json
from pathlib import Path

from mlflow import MlflowClient

from progtrain.step_records import RANGE_TEST, AuthorRecord, ProbeRecord, RangeTestRecord, probe_name
from progtrain.workspace import Workspace

from .conftest import Run, hold_against_written_rules, leaderboard, write_rules
from .test_resume import kill_when_there, wait_until_gone


def test_the_best_of_the_probes_becomes_the_next_version(workspace: Path, progtrain: Run) -> None:
    write_rules(workspace, max_versions=2)
    rules = json.loads((workspace / "user_defined_rules.json").read_text())
    rules["loop_config"]["probes"] = 2
    (workspace / "user_defined_rules.json").write_text(json.dumps(rules))
    wait_until_gone(kill_when_there(workspace, ".progtrain/v001/probe_02.json"))
    names = (RANGE_TEST, probe_name(1), probe_name(2))
    made_before = [(workspace / f".progtrain/v001/{name}.json").stat() for name in names]
    ended = progtrain("run", workspace)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    opened = Workspace(workspace)
    after = [opened.record_path(name, "v001").stat() for name in names]
    assert [(stat.st_ino, stat.st_mtime_ns) for stat in after] == [(s.st_ino, s.st_mtime_ns) for s in made_before]
    itself, *probes = opened.read_numbered(ProbeRecord, probe_name, "v001")
    assert itself.action is None
    assert len(probes) == 2
    assert {record.epochs for record in (itself, *probes)} == {1}
    taken = _best(itself, probes)
    authored = opened.read_record(AuthorRecord, "author", "v002")
    assert authored is not None
    assert authored.action == taken.action
    assert "max_epochs=EPOCHS" in opened.read_script("v002")
    assert "EPOCHS = 3" in opened.read_script("v002")
    _hold_page(opened, [itself, *probes], taken)
    assert {row["version_id"] for row in leaderboard(workspace)} == {"v001", "v002"}
    hold_against_written_rules(workspace)
    _hold_store(workspace, [itself, *probes])


def _best(itself: ProbeRecord, probes: list[ProbeRecord]) -> ProbeRecord:
    """The better one, the first where they tie; where neither comes up to no change, the advisor's first."""
    best = max(probes, key=_accuracy)
    return best if _accuracy(best) >= _accuracy(itself) else probes[0]


def _accuracy(record: ProbeRecord) -> float:
    assert record.score is not None
    metric = record.score.metric("accuracy")
    assert metric is not None
    assert metric.value is not None
    return metric.value


def _hold_page(opened: Workspace, records: list[ProbeRecord], taken: ProbeRecord) -> None:
    page = (opened.artifacts("v001") / "action-extract.md").read_text()
    table = [line for line in page.splitlines() if any(f"| {record.action} | 1 | " in line for record in records)]
    assert [line.split("|")[1].strip() for line in table] == [record.action for record in records[1:]]
    assert [line.split("|")[1].strip() for line in table if "**taken**" in line] == [taken.action]
    tested = opened.read_record(RangeTestRecord, RANGE_TEST, "v001")
    assert tested is not None
    assert f"| {len(tested.rates)} | 1e-06 to {tested.rates[-1]:.4g} | " in page
    assert f"| v001, unchanged | 1 | {_accuracy(records[0]):.4g} | — |" in page


def _hold_store(workspace: Path, records: list[ProbeRecord]) -> None:
    client = MlflowClient(f"sqlite:///{workspace / 'mlflow.db'}")
    (experiment,) = client.search_experiments(filter_string=f"name = '{workspace.name}'")
    versions = client.search_runs([experiment.experiment_id], "tags.`progtrain.kind` = 'version'")
    (first,) = (run for run in versions if run.data.tags["progtrain.version"] == "v001")
    wanted = "tags.`progtrain.kind` = 'probe' and tags.`progtrain.version` = 'v001'"
    found = client.search_runs([experiment.experiment_id], wanted)
    assert {run.data.tags["mlflow.parentRunId"] for run in found} == {first.info.run_id}
    (tested,) = (run for run in found if run.data.params["action"] == RANGE_TEST)
    assert "loss" in tested.data.metrics
    found = [run for run in found if run is not tested]
    assert sorted(run.data.params["action"] for run in found) == sorted(record.action or "none" for record in records)
    assert all(run.data.params["epochs"] == "1" and run.info.status == "FINISHED" for run in found)
    assert sorted(run.data.metrics["accuracy"] for run in found) == sorted(map(_accuracy, records))
