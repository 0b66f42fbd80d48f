"""A throw-away copy of a workspace in which a script can run up to fit without touching the real artifacts."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from progtrain.workspace import BASELINE, Workspace

_COPIED: Final = frozenset({".py", ".json", ".yaml", ".yml", ".toml", ".md"})
#: Stores of a tracker: a script that logs must not write into the real one.
_HIDDEN: Final = frozenset({"mlruns", "mlartifacts", "mlflow.db"})


@contextmanager
def scratch_view(workspace: Workspace, version: str, source: str) -> Iterator[Path]:
    """A folder that looks like the workspace to a script run in it, removed at the end.

    Scripts make and delete folders and write `spec.json` before they call fit. Here the version's own artifact folder
    is new and empty; the other versions' folders, the data and local packages are links to the real ones; source and
    configuration files at the top are copies.

    Args:
        workspace: the real one.
        version: of the script (`v001` or `baseline`); it stands in the folder as `02_train_{version}.py`.
        source: the script's text, which need not be on disk anywhere.

    Yields:
        The folder, to be the working directory.
    """
    scratch = workspace.state / "scratch"
    scratch.mkdir(parents=True, exist_ok=True)
    _sweep(scratch)
    folder = Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=scratch))
    try:
        _mirror(workspace.root, folder)
        _mirror_models(workspace, version, folder / "Models")
        (folder / workspace.script(version).name).write_text(source, encoding="utf-8", newline="")
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _mirror(root: Path, folder: Path) -> None:
    for entry in root.iterdir():
        if entry.name.startswith(".") or entry.name == "Models" or entry.name in _HIDDEN:
            continue
        if entry.is_file() and entry.suffix in _COPIED:
            shutil.copyfile(entry, folder / entry.name)
        else:
            (folder / entry.name).symlink_to(entry)


def _mirror_models(workspace: Workspace, version: str, models: Path) -> None:
    own = workspace.artifacts(version)
    (models / "Artifacts" / own.name).mkdir(parents=True)
    real = workspace.root / "Models"
    others = [entry for entry in real.glob("*") if entry.name != "Artifacts"]
    others += [entry for entry in own.parent.glob("*") if entry.name != own.name and not _is_baseline(version, entry)]
    for entry in others:
        (models / entry.relative_to(real)).symlink_to(entry)


def _is_baseline(version: str, entry: Path) -> bool:
    return version == BASELINE and entry.name.lower() == BASELINE


def _sweep(scratch: Path) -> None:
    for folder in scratch.iterdir():
        owner = folder.name.partition("-")[0]
        if not (owner.isdigit() and _is_alive(int(owner))):
            shutil.rmtree(folder, ignore_errors=True)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
