"""Making a workspace's own database whole or not at all: MLflow cannot mend one that it was killed while making."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from mlflow.store.db.utils import _initialize_tables, create_sqlalchemy_engine

from progtrain.workspace import Workspace

_SQLITE: Final = "sqlite:///"


def make_database(uri: str, workspace: Workspace) -> None:
    """Make the store at `uri` where it is to be a file in the workspace and is not there yet.

    It grows in `.progtrain/`, which one loop at a time works in, and is moved into its place when it is whole.

    Args:
        uri: MLflow tracking URI.
        workspace: held by this process.
    """
    place = Path(uri.removeprefix(_SQLITE))
    if not uri.startswith(_SQLITE) or place.parent != workspace.root or place.exists():
        return
    growing = workspace.state / place.name
    for left_over in (growing, growing.with_name(f"{growing.name}-journal")):
        left_over.unlink(missing_ok=True)
    _make_tables(f"{_SQLITE}{growing}")
    os.replace(growing, place)


def make_any_database(uri: str, workspace: Workspace) -> None:
    """Make the store at `uri` where it is to be a file, in the workspace or elsewhere, and is not there yet."""
    make_database(uri, workspace)
    if uri.startswith(_SQLITE) and not Path(uri.removeprefix(_SQLITE)).exists():
        _make_tables(uri)


def _make_tables(uri: str) -> None:
    engine = create_sqlalchemy_engine(uri)  # type: ignore[no-untyped-call]
    try:
        _initialize_tables(engine)  # type: ignore[no-untyped-call]
    finally:
        engine.dispose()
