"""`mlflow run .`: the run it opens is the loop's, and says how the loop ended."""

import os
import subprocess
import sys
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import Run as MlflowRun

from .conftest import PROJECT, environment

EXPERIMENT = "by mlflow run"


def mlflow_run(workspace: Path, store: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mlflow", "run", str(PROJECT), "--env-manager", "local"]
    command += ["--experiment-name", EXPERIMENT, "-P", f"workspace={workspace}", *arguments]
    # The local manager takes the `python` that stands first on PATH.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    own = environment(MLFLOW_TRACKING_URI=store, PATH=path)
    return subprocess.run(command, env=own, cwd=workspace.parent, capture_output=True, text=True, check=False)


def top_runs(store: str) -> list[MlflowRun]:
    client = MlflowClient(store)
    experiment = client.get_experiment_by_name(EXPERIMENT)
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id], order_by=["attributes.start_time"])
    return [run for run in runs if "mlflow.parentRunId" not in run.data.tags]


def test_the_run_that_mlflow_opened_is_the_loops_parent(workspace: Path, tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'store.db'}"
    ended = mlflow_run(workspace, store, "-P", "max_versions=1")
    assert ended.returncode == 0, ended.stderr
    (loop,) = top_runs(store)
    assert loop.info.status == "FINISHED"
    assert loop.data.params["max_versions"] == "1"
    client = MlflowClient(store)
    nested = client.search_runs([loop.info.experiment_id], f"tags.`mlflow.parentRunId` = '{loop.info.run_id}'")
    assert [run.data.tags["progtrain.version"] for run in nested] == ["v001"]
    assert not (workspace / "mlflow.db").exists()

    again = mlflow_run(workspace, store, "-P", "max_versions=1")
    assert again.returncode == 0, again.stderr
    first, second = top_runs(store)
    assert first.info.run_id == loop.info.run_id
    assert second.data.tags["progtrain.continues"] == loop.info.run_id


def test_a_loop_that_fails_makes_its_run_failed(workspace: Path, tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'store.db'}"
    (workspace / "02_train_baseline.py").write_text("import nothing_of_that_name\n")
    ended = mlflow_run(workspace, store)
    assert ended.returncode != 0
    assert "nothing_of_that_name" in ended.stderr
    (loop,) = top_runs(store)
    assert loop.info.status == "FAILED"
