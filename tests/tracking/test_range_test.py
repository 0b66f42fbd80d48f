"""A range test is a run of kind `probe`, nested in the run of its version, with its losses as a curve."""

from __future__ import annotations

import json

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

from progtrain.step_records import RANGE_TEST, RangeTestRecord
from progtrain.tracking import Tracker
from progtrain.workspace import Workspace

from .conftest import MOMENT

LIMIT = 120.0
RATES, LOSSES = (1e-6, 1e-4, 1e-2), (2.3, 2.2, 1.5)


def write(workspace: Workspace, suggested: float | None, remark: str = "", same_as: str | None = None) -> None:
    record = RangeTestRecord(
        started_at=MOMENT,
        finished_at=MOMENT,
        script_sha256=workspace.script_sha256("v001"),
        rates=RATES,
        losses=LOSSES,
        suggested=suggested,
        remark=remark,
        same_as=same_as,
    )
    workspace.write_record(record, RANGE_TEST, "v001")


@pytest.fixture
def client(store: str) -> MlflowClient:
    return MlflowClient(store)


@pytest.fixture
def sent(client, workspace, tracker, make):
    """`sent()`: the runs of kind probe, after v001 was sent; twice, for nothing is sent twice."""

    def runs() -> list[Run]:
        tracker.open("v1")
        for _ in range(2):
            tracker.version_finished("v001")
            assert tracker.drain(LIMIT) == ()
        record = json.loads((workspace.state / "tracking.json").read_text())
        found = client.search_runs([record["experiment_id"]], "tags.`progtrain.kind` = 'probe'")
        return [run for run in found if run.data.tags["progtrain.workspace"] == str(workspace.root)]

    make.finish("v001", accuracy=0.5)
    return runs


def test_losses_rates_and_what_they_suggest(client, workspace, tracker: Tracker, sent) -> None:
    write(workspace, 0.02)
    (run,) = sent()
    version = json.loads(workspace.record_path("tracking", "v001").read_text())
    assert run.data.tags["mlflow.parentRunId"] == version["run_id"]
    assert (run.info.status, run.info.run_name) == ("FINISHED", "v001 learning-rate range test")
    assert run.data.tags["progtrain.action"] == run.data.params["action"] == RANGE_TEST
    for name, values in (("loss", LOSSES), ("rate", RATES), ("suggested_rate", (0.02,))):
        points = client.get_metric_history(run.info.run_id, name)
        assert [(point.step, point.value) for point in points] == list(enumerate(values))


def test_one_that_suggests_nothing_has_failed_and_says_why(client, workspace, sent) -> None:
    write(workspace, None, remark="the loss fell at no rate")
    (run,) = sent()
    assert run.info.status == "FAILED"
    assert run.data.tags["progtrain.failure"] == "the loss fell at no rate"
    assert "suggested_rate" not in run.data.metrics
    assert len(client.get_metric_history(run.info.run_id, "loss")) == len(LOSSES)


def test_one_that_was_run_as_another_version_is_no_run(workspace, sent) -> None:
    write(workspace, 0.02, same_as="v000")
    assert sent() == []
