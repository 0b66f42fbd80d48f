"""The contract of the tracker, held against a SQLite store and against a server."""

from __future__ import annotations

import json

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

from progtrain.records import Snapshot
from progtrain.rules import Rules
from progtrain.tracking import Tracker
from progtrain.workspace import Workspace

LIMIT = 120.0


def runs(client: MlflowClient, workspace: Workspace, kind: str) -> list[Run]:
    record = json.loads((workspace.state / "tracking.json").read_text())
    found = client.search_runs([record["experiment_id"]], f"tags.`progtrain.kind` = '{kind}'")
    ours = [run for run in found if run.data.tags["progtrain.workspace"] == str(workspace.root)]
    return sorted(ours, key=lambda run: run.data.tags.get("progtrain.version", ""))


@pytest.fixture
def client(store: str) -> MlflowClient:
    return MlflowClient(store)


def test_a_finished_version_is_mirrored_whole(client, workspace, tracker, make, snapshot) -> None:
    tracker.open("v1")
    tracker.version_started("v001", snapshot, make.author("v001"))
    make.finish("v001", accuracy=0.5)
    score = make.finish("v002", accuracy=0.75)
    tracker.version_finished("v001")
    tracker.version_finished("v002")
    assert tracker.drain(LIMIT) == ()

    parent = runs(client, workspace, "loop")[0]
    first, second = runs(client, workspace, "version")
    assert (first.info.status, second.info.status) == ("FINISHED", "FINISHED")
    assert second.info.run_name == "v002 lower_rate"
    tags = second.data.tags
    assert tags["mlflow.parentRunId"] == parent.info.run_id
    assert (tags["progtrain.verdict"], tags["progtrain.parent_version"]) == ("improved", "v001")
    assert second.data.params["lr"] == "0.1"
    assert second.data.params["optimizer"] == "SGD"
    measured = {**{metric.name: metric.value for metric in score.metrics}, "latency_ms": score.latency_ms}
    assert {name: second.data.metrics[name.replace("@", "_")] for name in measured} == measured
    assert second.inputs.dataset_inputs[0].dataset.name == "v1"
    curve = client.get_metric_history(second.info.run_id, "val_loss")
    assert [(point.step, point.value) for point in curve] == [(9, 1.0), (19, 0.5)]
    assert [point.value for point in client.get_metric_history(second.info.run_id, "train_log/accuracy")] == [0.5, 0.5]
    assert len(client.get_metric_history(second.info.run_id, "accuracy")) == 1
    there = {item.path for item in client.list_artifacts(second.info.run_id)}
    assert {"best.ckpt", "spec.json", "eval_score.json", "logs", "code"} <= there
    code = {item.path for item in client.list_artifacts(second.info.run_id, "code")}
    assert code == {"code/02_train_v002.py", "code/diff_v001_v002.txt"}


def test_the_parent_carries_the_best_so_far(client, workspace, tracker, make) -> None:
    for version, accuracy in (("v001", 0.5), ("v002", 0.75), ("v003", None), ("v004", 0.6)):
        make.finish(version, accuracy)
    tracker.open("v1")
    assert tracker.drain(LIMIT) == ()
    parent = runs(client, workspace, "loop")[0].info.run_id
    best = client.get_metric_history(parent, "best_accuracy")
    assert {point.step: point.value for point in best} == {1: 0.5, 2: 0.75, 3: 0.75, 4: 0.75}
    own = client.get_metric_history(parent, "accuracy")
    assert {point.step: point.value for point in own} == {1: 0.5, 2: 0.75, 4: 0.6}


def totals(client: MlflowClient, workspace: Workspace) -> dict[str, object]:
    found = {}
    for run in (*runs(client, workspace, "loop"), *runs(client, workspace, "version")):
        lengths = {name: len(client.get_metric_history(run.info.run_id, name)) for name in run.data.metrics}
        found[run.info.run_id] = (lengths, len(run.inputs.dataset_inputs), len(run.outputs.model_outputs))
    record = json.loads((workspace.state / "tracking.json").read_text())
    versions = [client.search_model_versions(f"run_id = '{run}'") for run in list(found)]
    found["models"] = sum(map(len, versions))
    found["logged"] = len(client.search_logged_models([record["experiment_id"]]))
    return found


def test_a_second_tracker_continues_the_parent_and_sends_nothing_twice(
    client, workspace, rules, executor, make
) -> None:
    make.finish("v001", accuracy=0.5)
    for _ in range(2):
        tracker = Tracker(workspace, rules, executor)
        tracker.open("v1")
        assert tracker.drain(LIMIT) == ()
        tracker.close("FINISHED")
        if executor.jobs == 1:
            before = totals(client, workspace)
    assert totals(client, workspace) == before
    assert executor.jobs == 1
    assert len(runs(client, workspace, "loop")) == 1


def test_what_was_sent_but_not_noted_is_found_again(client, workspace, rules, executor, make) -> None:
    """A kill between a call's success and its note on disk leaves a record that knows too little."""
    make.finish("v001", accuracy=0.5)
    tracker = Tracker(workspace, rules, executor)
    tracker.open("v1")
    tracker.close("FINISHED")
    before = totals(client, workspace)
    path = workspace.record_path("tracking", "v001")
    path.write_text(json.dumps({"training": json.loads(path.read_text())["training"]}))
    loop = workspace.record_path("tracking")
    loop.write_text(json.dumps({"loop": json.loads(loop.read_text())["loop"]}))
    tracker = Tracker(workspace, rules, executor)
    tracker.open("v1")
    assert tracker.drain(LIMIT) == ()
    tracker.close("FINISHED")
    assert totals(client, workspace) == before


def test_points_of_a_growing_curve_are_sent_once(client, workspace, tracker, make, snapshot) -> None:
    tracker.open("v1")
    tracker.version_started("v001", snapshot, make.author("v001"))
    for epochs in (1, 2, 3):
        make.curve("v001", epochs)
        tracker.training_progressed("v001")
        tracker.drain(LIMIT)
    run = runs(client, workspace, "version")[0]
    assert run.info.status == "RUNNING"
    assert [point.step for point in client.get_metric_history(run.info.run_id, "val_loss")] == [9, 19, 29]


def test_a_training_begun_again_closes_the_one_before(client, workspace, rules, executor, make, snapshot) -> None:
    killed = Tracker(workspace, rules, executor)
    killed.open("v1")
    author = make.author("v001")
    killed.version_started("v001", snapshot, author)
    killed.drain(LIMIT)
    tracker = Tracker(workspace, rules, executor)
    tracker.open("v1")
    tracker.version_started("v001", snapshot, author)
    tracker.drain(LIMIT)
    tracker.version_started("v001", snapshot, author)
    assert tracker.drain(LIMIT) == ()
    statuses = {run.info.run_name: run.info.status for run in runs(client, workspace, "attempt")}
    assert statuses == {"v001 (attempt, killed)": "KILLED", "v001 (attempt, failed)": "FAILED"}
    assert [run.info.status for run in runs(client, workspace, "version")] == ["RUNNING"]
    tracker.close("FAILED")
    killed.close("FAILED")


def test_a_failed_version_says_why(client, workspace, tracker, make, snapshot) -> None:
    tracker.open("v1")
    tracker.version_started("v001", snapshot, make.author("v001"))
    workspace.log("v001", "train").write_text("Traceback\nValueError: no")
    tracker.version_failed("v001", "ValueError: no")
    assert tracker.drain(LIMIT) == ()
    run = runs(client, workspace, "version")[0]
    assert run.info.status == "FAILED"
    assert run.data.tags["progtrain.failure"] == "ValueError: no"
    assert [item.path for item in client.list_artifacts(run.info.run_id, "console")] == ["console/train.log"]


def test_versions_are_registered_fetched_and_promoted(client, workspace, tracker, make, caplog) -> None:
    make.finish("v001", accuracy=0.5)
    make.finish("v002", accuracy=0.75)
    tracker.open("v1")
    tracker.promote("v002")
    assert tracker.drain(LIMIT) == ()
    registered = tracker.registered()
    assert set(registered) == {"v001", "v002"}
    model = registered["v002"]
    assert model.form == "pt2"
    entry = client.get_model_version_by_alias(model.name, "champion")
    assert str(entry.version) == model.number
    assert entry.tags["progtrain.version"] == "v002"
    folders = tracker.fetch_models(["v002", "v009"])
    assert set(folders) == {"v002"}, caplog.text
    folder = folders["v002"]
    assert (folder / "data" / "model.pt2").is_file()
    assert client.get_run(entry.run_id).outputs.model_outputs[0].model_id in (folder / "MLmodel").read_text()


def test_a_champion_moved_by_hand_stays_where_it_was_put(client, workspace, rules, executor, make) -> None:
    make.finish("v001", accuracy=0.5)
    make.finish("v002", accuracy=0.75)
    tracker = Tracker(workspace, rules, executor)
    tracker.open("v1")
    tracker.promote("v002")
    tracker.close("FINISHED")
    by_hand = tracker.registered()["v001"]
    client.set_registered_model_alias(by_hand.name, "champion", by_hand.number)
    tracker = Tracker(workspace, rules, executor)
    tracker.open("v1")
    tracker.close("FINISHED")
    assert str(client.get_model_version_by_alias(by_hand.name, "champion").version) == by_hand.number


def test_a_model_that_does_not_export_holds_nothing_else_back(client, workspace, tracker, executor, make) -> None:
    executor.fails = True
    make.finish("v001", accuracy=0.5)
    tracker.open("v1")
    left = tracker.drain(LIMIT)
    assert len(left) == 1
    assert "v001's model could not be exported" in left[0]
    assert runs(client, workspace, "version")[0].info.status == "FINISHED"
    assert tracker.drain(LIMIT) == left
    assert executor.jobs == 1


def test_the_report_is_shown_on_the_parent(client, workspace, tracker, make) -> None:
    make.finish("v001", accuracy=0.5)
    folder = workspace.reports / "2026-11-22_12-00"
    folder.mkdir(parents=True)
    (folder / "final-analysis.md").write_text("# v001 is best")
    (folder / "leaderboard.csv").write_text("version_id\nv001\n")
    tracker.open("v1")
    tracker.report_finished(folder)
    assert tracker.drain(LIMIT) == ()
    parent = runs(client, workspace, "loop")[0]
    assert parent.data.tags["mlflow.note.content"] == "# v001 is best"
    there = {item.path for item in client.list_artifacts(parent.info.run_id, "report/2026-11-22_12-00")}
    assert there == {f"report/2026-11-22_12-00/{name}" for name in ("final-analysis.md", "leaderboard.csv")}


def test_closing_sets_the_parents_status(client, workspace, tracker) -> None:
    tracker.open("v1")
    tracker.close("FAILED")
    assert runs(client, workspace, "loop")[0].info.status == "FAILED"


def test_a_tracker_that_was_never_opened_says_nothing(
    workspace: Workspace, rules: Rules, executor, make, snapshot: Snapshot
) -> None:
    tracker = Tracker(workspace, rules, executor)
    make.finish("v001", accuracy=0.5)
    tracker.version_finished("v001")
    assert tracker.drain(LIMIT) == ()
    tracker.close("FINISHED")
