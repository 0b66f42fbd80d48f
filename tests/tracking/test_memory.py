"""What a loop learns of earlier ones: sent by a real tracker, read back from the real store."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from mlflow import MlflowClient

from progtrain.actions import action_named
from progtrain.errors import ArgumentError
from progtrain.loop import opened
from progtrain.memory import describe_memory
from progtrain.records import Experience
from progtrain.step_records import LoopRecord
from progtrain.steps.remember import remember, remembered
from progtrain.tracking import Tracker
from progtrain.tracking.memory import read_store, recall
from progtrain.workspace import Workspace, now

from .conftest import Maker

LIMIT = 120.0
LOWERED = Experience(action="lower_rate", finding="diverged", task="classification", tried=1, improved=1)


def begin(workspace: Workspace) -> None:
    """What Step 0 leaves."""
    record = LoopRecord(
        dataset_id="v1",
        task_type="image_classification",
        num_train=1,
        num_valid=1,
        patched=False,
        started_at=now(),
    )
    workspace.write_record(record, "loop")


@pytest.fixture
def shared_store(workspace: Workspace, tracker: Tracker, make: Maker, template: Path, tmp_path: Path) -> str:
    """A store that two workspaces write to; the first has finished a loop of two versions there."""
    uri = f"sqlite:///{shutil.copy(template, tmp_path / 'shared.db')}"
    os.environ["MLFLOW_TRACKING_URI"] = uri
    begin(workspace)
    make.finish("v001", 0.5)
    make.finish("v002", 0.75)
    author = make.author("v002").model_copy(update={"answers": "diverged"})
    workspace.write_record(author, "author", "v002")
    tracker.open("v1")
    assert tracker.drain(LIMIT) == ()
    return uri


@pytest.fixture
def other(tmp_path: Path) -> Workspace:
    (tmp_path / "other").mkdir()
    return Workspace(tmp_path / "other")


def add_try(uri: str, **changes: str) -> None:
    """One more version of another loop, as its tags have it."""
    client = MlflowClient(uri)
    experiment = client.search_experiments()[0].experiment_id
    tags = {
        "progtrain.kind": "version",
        "progtrain.action": "lower_rate",
        "progtrain.finding": "diverged",
        "progtrain.task": "classification",
        "progtrain.verdict": "regressed",
        "mlflow.parentRunId": "another loop",
    }
    client.create_run(experiment, tags={**tags, **{f"progtrain.{name}": value for name, value in changes.items()}})


def test_another_loop_is_remembered_and_ones_own_is_not(
    shared_store: str, workspace: Workspace, other: Workspace
) -> None:
    memory = recall(other, "classification")
    assert (memory.loops, memory.entries, memory.remark) == (1, (LOWERED,), "")
    assert recall(workspace, "classification").entries == ()


def test_tries_are_counted_by_action_finding_and_task(shared_store: str) -> None:
    add_try(shared_store)
    add_try(shared_store, task="regression")
    add_try(shared_store, finding="slow")
    add_try(shared_store, finding="slow", verdict="within noise")
    for changes in ({"kind": "attempt"}, {"kind": "probe"}):
        add_try(shared_store, **changes)
    memory = read_store(shared_store)
    found = {(entry.finding, entry.task): (entry.tried, entry.improved) for entry in memory.entries}
    assert found == {
        ("diverged", "classification"): (2, 1),
        ("diverged", "regression"): (1, 0),
        ("slow", "classification"): (1, 0),
    }
    assert memory.loops == 2


def test_a_loop_remembers_what_was_there_when_it_began(shared_store: str, other: Workspace) -> None:
    begin(other)
    with opened(other.root) as context:
        remember(context)
        before = remembered(context)
        add_try(shared_store)
        remember(context)
        assert before is not None
        assert remembered(context) == before
        assert before.entries == (LOWERED,)
    (other.root / "user_defined_rules.json").write_text('{"loop_config": {"use_memory": false}}')
    with opened(other.root) as context:
        assert remembered(context) is None


def test_the_table(shared_store: str, other: Workspace) -> None:
    for verdict in ("improved", "regressed", "regressed", "within noise"):
        add_try(shared_store, action="gelu", finding="dead-units", verdict=verdict)
    lines = describe_memory(shared_store).splitlines()
    assert lines[0] == f"{shared_store}: 4 change(s) for better or worse, of 2 loop(s)"
    prior = action_named("gelu").probability
    chances = [f"{prior:.2f}", "->", f"{(4 * prior + 1) / 7:.2f}"]
    assert lines[3].split() == ["gelu", "dead-units", "classification", "3", "1", *chances]
    assert lines[4].endswith("no such action now")  # lower_rate is none of the catalogue
    assert describe_memory(str(other.root)) == "\n".join(lines)


def test_a_new_workspace_has_nothing_to_remember_and_makes_no_database(other: Workspace) -> None:
    assert recall(other, "classification").entries == ()
    assert not (other.root / "mlflow.db").exists()
    with pytest.raises(ArgumentError, match="found no such file"):
        describe_memory(str(other.root))


def test_a_store_out_of_reach_is_told_of_and_the_loop_begins(other: Workspace, port: int) -> None:
    os.environ["MLFLOW_TRACKING_URI"] = f"http://127.0.0.1:{port}"
    begin(other)
    said: list[str] = []
    with opened(other.root) as context:
        remember(replace(context, say=said.append))
        memory = remembered(context)
    assert memory is not None
    assert memory.entries == ()
    assert "cannot be read" in memory.remark
    assert "begins without memory of earlier ones" in said[0]
