"""Kills, outages, `mlflow run`, and a change of store: what must survive each."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from mlflow import MlflowClient

from progtrain.step_records import CaptureRecord
from progtrain.tracking import Tracker
from progtrain.workspace import Workspace

LIMIT = 120.0

KILLED = """
import os, signal, sys, threading
from progtrain.executors import Executor
from progtrain.step_records import CaptureRecord
from progtrain.rules import Rules
from progtrain.tracking import Tracker
from progtrain.workspace import Workspace

workspace = Workspace(sys.argv[1])
tracker = Tracker(workspace, Rules(), None)
tracker.open("v1")
tracker.version_started("v001", workspace.read_record(CaptureRecord, "capture", "v001").snapshot, None)
print(tracker.drain(120.0), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def recorded(workspace: Workspace) -> dict[str, str]:
    return json.loads((workspace.state / "tracking.json").read_text())


@pytest.fixture
def client(workspace: Workspace) -> MlflowClient:
    return MlflowClient(f"sqlite:///{workspace.root / 'mlflow.db'}")


def test_after_a_kill_the_same_parent_goes_on(client, workspace, rules, executor, make, snapshot) -> None:
    make.author("v001")
    workspace.write_record(CaptureRecord(script_sha256="x", snapshot=snapshot), "capture", "v001")
    killed = subprocess.run([sys.executable, "-c", KILLED, str(workspace.root)], capture_output=True, text=True)
    assert (killed.returncode, killed.stdout) == (-signal.SIGKILL, "()\n"), killed.stderr
    parent = recorded(workspace)["parent_run_id"]
    assert client.get_run(parent).info.status == "RUNNING"
    tracker = Tracker(workspace, rules, executor)
    tracker.open("v1")
    tracker.version_started("v001", snapshot, None)
    make.finish("v001", accuracy=0.5)
    tracker.version_finished("v001")
    tracker.close("FINISHED")
    assert recorded(workspace)["parent_run_id"] == parent
    children = client.search_runs([recorded(workspace)["experiment_id"]], f"tags.`mlflow.parentRunId` = '{parent}'")
    statuses = {run.data.tags["progtrain.kind"]: run.info.status for run in children}
    assert statuses == {"attempt": "KILLED", "version": "FINISHED"}
    assert client.get_run(parent).info.status == "FINISHED"


def test_runs_that_a_forgotten_loop_left_running_are_closed(client, workspace, rules, executor, make, snapshot) -> None:
    make.author("v001")
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    lost = Tracker(workspace, rules, executor)
    lost.open("v1")
    lost.version_started("v001", snapshot, None)
    assert lost.drain(LIMIT) == ()
    parent = recorded(workspace)["parent_run_id"]
    run = json.loads(workspace.record_path("tracking", "v001").read_text())["run_id"]
    for run_id in (parent, run):
        client.set_tag(run_id, "progtrain.pid", str(dead.pid))
    workspace.forget("tracking")
    workspace.forget("tracking", "v001")
    tracker = Tracker(workspace, rules, executor)
    tracker.open("v1")
    assert tracker.drain(LIMIT) == ()
    assert recorded(workspace)["parent_run_id"] != parent
    assert {client.get_run(run_id).info.status for run_id in (parent, run)} == {"KILLED"}
    for one in (tracker, lost):
        one.close("FAILED")


def test_the_run_that_mlflow_run_opened_is_the_parent(client, workspace, rules, executor) -> None:
    experiment = client.create_experiment("handed over", (workspace.root / "elsewhere").as_uri())
    wrappers = [client.create_run(experiment).info.run_id for _ in range(2)]
    for wrapper in wrappers:
        os.environ["MLFLOW_RUN_ID"] = wrapper
        os.environ["MLFLOW_EXPERIMENT_ID"] = experiment
        tracker = Tracker(workspace, rules, executor)
        tracker.open("v1")
        assert "MLFLOW_RUN_ID" not in os.environ
        tracker.close("FINISHED")
    assert recorded(workspace)["parent_run_id"] == wrappers[0]
    assert recorded(workspace)["experiment_id"] == experiment
    assert client.get_run(wrappers[1]).data.tags["progtrain.continues"] == wrappers[0]


def test_another_store_is_sent_everything_anew(workspace, rules, executor, make, template: Path, tmp_path) -> None:
    make.finish("v001", accuracy=0.5)
    for name in ("first.db", "second.db"):
        uri = f"sqlite:///{tmp_path / name}"
        (tmp_path / name).write_bytes(template.read_bytes())
        os.environ["MLFLOW_TRACKING_URI"] = uri
        tracker = Tracker(workspace, rules, executor)
        tracker.open("v1")
        assert tracker.drain(LIMIT) == ()
        tracker.close("FINISHED")
        client = MlflowClient(uri)
        model = tracker.registered()["v001"]
        run = client.get_run(client.get_model_version(model.name, model.number).run_id)
        assert run.data.metrics["accuracy"] == 0.5
        assert len(client.get_metric_history(run.info.run_id, "val_loss")) == 2


def test_nothing_is_lost_while_the_server_is_down(
    workspace, rules, executor, make, snapshot, start_server, template, port, tmp_path, caplog
) -> None:
    caplog.set_level("WARNING")
    os.environ["MLFLOW_TRACKING_URI"] = f"http://127.0.0.1:{port}"
    tracker = Tracker(workspace, rules, executor)
    tracker.open("v1")
    tracker.version_started("v001", snapshot, make.author("v001"))
    make.finish("v001", accuracy=0.5)
    tracker.version_finished("v001")
    left = tracker.drain(LIMIT)
    assert {line.partition(":")[0] for line in left} >= {"the run of v001", "the loop's own run"}
    assert len([record for record in caplog.records if record.name.startswith("progtrain")]) == 1
    with start_server(tmp_path, template, port) as uri:
        assert tracker.drain(LIMIT) == ()
        client = MlflowClient(uri)
        model = tracker.registered()["v001"]
        run = client.get_run(client.get_model_version(model.name, model.number).run_id)
        assert (run.info.status, run.data.metrics["accuracy"]) == ("FINISHED", 0.5)
        assert len(client.get_metric_history(run.info.run_id, "val_loss")) == 2
        tracker.close("FINISHED")
