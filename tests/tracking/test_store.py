from __future__ import annotations

import os
from pathlib import Path

import pytest

from progtrain.errors import ArgumentError
from progtrain.tracking.store import claim_store


def test_without_a_word_the_store_is_a_file_in_the_workspace(workspace) -> None:
    store = claim_store(workspace)
    assert store.uri == f"sqlite:///{workspace.root}/mlflow.db"
    assert store.artifact_location == (workspace.root / "mlartifacts").as_uri()
    assert (store.run_id, store.experiment_id) == (None, None)


def test_a_server_keeps_artifacts_where_it_likes(workspace) -> None:
    os.environ["MLFLOW_TRACKING_URI"] = "http://127.0.0.1:5000"
    store = claim_store(workspace)
    assert (store.uri, store.artifact_location) == ("http://127.0.0.1:5000", None)


def test_a_relative_database_stays_the_same_in_every_folder(workspace, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    os.environ["MLFLOW_TRACKING_URI"] = "sqlite:///runs.db"
    assert claim_store(workspace).uri == f"sqlite:///{tmp_path}/runs.db"


@pytest.mark.parametrize("uri", ["mlruns", "file:///tmp/mlruns"])
def test_a_folder_is_refused(workspace, uri: str) -> None:
    os.environ["MLFLOW_TRACKING_URI"] = uri
    with pytest.raises(ArgumentError, match="Expected MLFLOW_TRACKING_URI to be a server"):
        claim_store(workspace)


def test_a_run_that_was_handed_over_is_taken_out_of_the_environment(workspace) -> None:
    os.environ["MLFLOW_RUN_ID"] = "abc"
    assert claim_store(workspace).run_id == "abc"
    assert "MLFLOW_RUN_ID" not in os.environ


def test_what_the_user_set_is_kept(workspace) -> None:
    os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "6"
    claim_store(workspace)
    assert os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] == "6"
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"
