"""What stands in a workspace is of the kind that progtrain reads and writes there, or it is said before anything is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from progtrain.errors import WorkspaceError
from progtrain.user_files import kind_of
from progtrain.workspace import BASELINE, Workspace


def check_layout(workspace: Workspace) -> None:
    """Look at every place that progtrain uses, and make `.progtrain`.

    Args:
        workspace: nothing else in it is changed.

    Raises:
        WorkspaceError: a file stands in the place of a folder or the other way round, a link leads nowhere, or a
            folder cannot be written.
    """
    for place in _folders(workspace):
        if os.path.lexists(place) and not place.is_dir():
            raise WorkspaceError(f"Expected a folder at {place}, got {kind_of(place)}. Move it away.")
    for place in _files(workspace):
        if os.path.lexists(place) and not place.is_file():
            raise WorkspaceError(f"Expected a file at {place}, got {kind_of(place)}. Move it away.")
    try:
        workspace.state.mkdir(exist_ok=True)
    except OSError as error:
        raise WorkspaceError(
            f"Expected a workspace that can be written at {workspace.root}, got: {error.strerror}. Choose another."
        ) from error
    artifacts = workspace.artifacts(BASELINE).parent
    for place in (workspace.root, workspace.state, artifacts.parent, artifacts):
        if place.is_dir() and not os.access(place, os.W_OK | os.X_OK):
            raise WorkspaceError(f"Expected a folder that can be written at {place}. Change its mode, or its owner.")


def _folders(workspace: Workspace) -> Iterator[Path]:
    artifacts = workspace.artifacts(BASELINE).parent
    prepdata = workspace.root / "dataset" / "prepdata"
    yield from (artifacts.parent, artifacts, workspace.reports, workspace.external, prepdata.parent, prepdata)
    yield from (workspace.state, workspace.state / "scratch", workspace.artifacts(BASELINE))
    for version in workspace.versions():
        yield from (workspace.artifacts(version), workspace.version_state(version))


def _files(workspace: Workspace) -> Iterator[Path]:
    yield from (workspace.baseline_script, workspace.eval_script, workspace.report_script)
    yield from (workspace.script(version) for version in workspace.versions())
    yield from (workspace.root / name for name in ("metrics.py", "mlflow.db"))
    yield from (workspace.state / "lock", *workspace.state.glob("*.json"), *workspace.state.glob("v*/*.json"))
