"""The MLflow UI on a workspace's store."""

from __future__ import annotations

import os
import subprocess
import sys
from urllib.parse import urlsplit

from progtrain.errors import TrackingError, WorkspaceError
from progtrain.tracking.ledger import RECORD, LoopTracking
from progtrain.workspace import Workspace


def serve_ui(workspace: Workspace, port: int) -> None:
    """Serve the UI on the loopback interface until it is interrupted.

    Raises:
        WorkspaceError: there is no store yet, or it is a server, which has a UI of its own.
        TrackingError: the UI ended by itself.
    """
    uri = _store_of(workspace)
    if urlsplit(uri).scheme in ("http", "https"):
        raise WorkspaceError(f"Expected a store in a database, got the server {uri}. It serves the UI itself: open it.")
    command = [sys.executable, "-m", "mlflow", "ui", "--backend-store-uri", uri, "--port", str(port), "--workers", "1"]
    environment = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    try:
        code = subprocess.run(command, env=environment, check=False).returncode
    except KeyboardInterrupt:
        return
    if code != 0:
        raise TrackingError(f"The MLflow UI ended with exit code {code}. Is port {port} free? Try another --port.")


def _store_of(workspace: Workspace) -> str:
    """The workspace's own database, also where the folder was moved; else the store that its loop wrote to."""
    own = workspace.root / "mlflow.db"
    if "MLFLOW_TRACKING_URI" not in os.environ and own.is_file():
        return f"sqlite:///{own}"
    record = workspace.read_record(LoopTracking, RECORD)
    if record is None or record.store is None:
        raise WorkspaceError(f"Nothing of {workspace.root} is in MLflow yet. `progtrain run {workspace.root}` begins.")
    return record.store
