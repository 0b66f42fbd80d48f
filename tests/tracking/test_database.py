"""The workspace's own database comes into being in one moment, whatever a killed loop left of it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from mlflow import MlflowClient

from progtrain.tracking.database import make_database
from progtrain.workspace import Workspace


def test_half_a_database_of_a_killed_loop_is_no_hindrance(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    workspace.state.mkdir()
    half = sqlite3.connect(workspace.state / "mlflow.db")
    half.execute("CREATE TABLE experiments (experiment_id INTEGER)")
    half.commit()
    half.close()
    uri = f"sqlite:///{workspace.root / 'mlflow.db'}"
    make_database(uri, workspace)
    assert not (workspace.state / "mlflow.db").exists()
    assert MlflowClient(uri).create_experiment("first")
    make_database(uri, workspace)
    assert MlflowClient(uri).get_experiment_by_name("first") is not None


def test_a_store_elsewhere_is_left_to_mlflow(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    for uri in (f"sqlite:///{tmp_path / 'elsewhere' / 'mlflow.db'}", "http://127.0.0.1:1"):
        make_database(uri, workspace)
    assert list(tmp_path.iterdir()) == []
