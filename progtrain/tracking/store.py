"""Which MLflow store a workspace writes to, and the environment that MLflow is used in."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from progtrain.errors import ArgumentError
from progtrain.workspace import Workspace

_DATABASES = ("sqlite", "postgresql", "mysql", "mssql")
_QUIET_AND_SHORT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}


@dataclass(frozen=True)
class Store:
    """Where to write.

    Args:
        uri: MLflow tracking URI, absolute.
        artifact_location: for an experiment made by progtrain; None leaves the choice to the server.
        run_id: the run that `mlflow run` opened for this process, or None.
        experiment_id: the experiment that `mlflow run` chose, or None.
    """

    uri: str
    artifact_location: str | None
    run_id: str | None
    experiment_id: str | None


def resolve_uri(workspace: Workspace) -> str:
    """MLFLOW_TRACKING_URI, else a SQLite file in the workspace.

    Raises:
        ArgumentError: MLFLOW_TRACKING_URI names a folder, which MLflow no longer takes as a store.
    """
    uri = os.environ.get("MLFLOW_TRACKING_URI")
    if not uri:
        return f"sqlite:///{workspace.root / 'mlflow.db'}"
    scheme = urlsplit(uri).scheme.partition("+")[0]
    if scheme in ("", "file"):
        raise ArgumentError(
            f"Expected MLFLOW_TRACKING_URI to be a server (http://…) or a database (sqlite:///…), got {uri!r}. "
            "MLflow no longer keeps runs in plain folders: unset it for a SQLite file in the workspace."
        )
    relative = uri.partition(":///")[2]
    if scheme == "sqlite" and relative and not relative.startswith("/"):
        return f"sqlite:///{Path.cwd() / relative}"
    return uri


def keep_quiet_and_short() -> None:
    """Let MLflow say little and wait briefly, where the environment does not say otherwise."""
    for name, value in _QUIET_AND_SHORT.items():
        os.environ.setdefault(name, value)


def claim_store(workspace: Workspace) -> Store:
    """Read what the environment says, and take MLFLOW_RUN_ID out of it so that no child process adopts the run.

    Raises:
        ArgumentError: MLFLOW_TRACKING_URI cannot be used.
    """
    keep_quiet_and_short()
    uri = resolve_uri(workspace)
    local = urlsplit(uri).scheme.partition("+")[0] in _DATABASES
    return Store(
        uri=uri,
        artifact_location=(workspace.root / "mlartifacts").as_uri() if local else None,
        run_id=os.environ.pop("MLFLOW_RUN_ID", None),
        experiment_id=os.environ.get("MLFLOW_EXPERIMENT_ID"),
    )
