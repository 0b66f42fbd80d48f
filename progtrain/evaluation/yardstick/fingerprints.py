"""The prepared data set's files as they were when the loop began: by content, read again only where one was touched."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from progtrain.errors import ProtocolChangedError
from progtrain.records import Record
from progtrain.workspace import Workspace

RECORD: Final = "data_files"
#: The hidden split is not opened before the report.
_UNOPENED: Final = "test"
_NAMED: Final = 10
"""Files that a message names; of the rest it gives the number."""


class FileFingerprint(Record):
    """One file: where it is below the data set's folder, its content, and by what it is known to be untouched."""

    path: str
    sha256: str
    size: int
    modified_ns: int
    changed_ns: int
    """Of the inode: a program can set the modification time back, but not this one."""


class DataFiles(Record):
    """All files of a data set but those of its test split."""

    dataset_id: str
    files: tuple[FileFingerprint, ...]


def hold_data(workspace: Workspace, dataset_id: str) -> None:
    """Lock the data set's files where that has not been done, else see that they are what was locked.

    Files that were added are not looked at: what of them becomes a validation sample shows in the protocol.

    Raises:
        ProtocolChangedError: a file has another content, or is gone; the message names it.
    """
    folder = workspace.prepdata(dataset_id)
    locked = _read(workspace)
    if locked is None:
        files = tuple(_fingerprint(folder, path) for path in _files(folder))
        workspace.write_record(DataFiles(dataset_id=dataset_id, files=files), RECORD)
        return
    now = tuple(_held(folder, file) for file in locked.files)
    broken = [text for text in now if isinstance(text, str)]
    if broken:
        more = f"\n  and {len(broken) - _NAMED} more" if len(broken) > _NAMED else ""
        raise ProtocolChangedError(
            f"The data set {dataset_id!r} is not the one that the loop began with:\n"
            + "\n".join(f"  {workspace.relative(folder)}/{text}" for text in broken[:_NAMED])
            + more
            + "\nRestore what changed, or begin a new workspace to use other data."
        )
    held = tuple(file for file in now if isinstance(file, FileFingerprint))
    if held != locked.files:  # copied or touched: not to be read at every evaluation from now on
        workspace.write_record(locked.model_copy(update={"files": held}), RECORD)


def _read(workspace: Workspace) -> DataFiles | None:
    path = workspace.record_path(RECORD)
    if not path.exists():
        return None
    try:
        return DataFiles.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise ProtocolChangedError(
            f"Expected the locked data set's files in {path}, got a file that cannot be read: {error}. "
            "Restore it, or begin a new workspace."
        ) from error


def _files(folder: Path) -> Iterator[Path]:
    for home, folders, names in os.walk(folder, followlinks=True):
        top = Path(home) == folder
        folders[:] = sorted(name for name in folders if _counts(name) and not (top and name == _UNOPENED))
        yield from (Path(home) / name for name in sorted(names) if _counts(name))


def _counts(name: str) -> bool:
    return not name.startswith(".") and name != "__pycache__"


def _held(folder: Path, locked: FileFingerprint) -> FileFingerprint | str:
    """The file as it is now, or what is wrong with it."""
    path = folder / locked.path
    try:
        found = path.stat()
        if (found.st_size, found.st_mtime_ns, found.st_ctime_ns) == (
            locked.size,
            locked.modified_ns,
            locked.changed_ns,
        ):
            return locked
        now = _fingerprint(folder, path)
    except OSError as error:
        return f"{locked.path}: {error.strerror}"
    return now if now.sha256 == locked.sha256 else f"{locked.path}: expected {locked.sha256}, got {now.sha256}"


def _fingerprint(folder: Path, path: Path) -> FileFingerprint:
    stat = path.stat()
    with path.open("rb") as handle:
        content = hashlib.file_digest(handle, "sha256").hexdigest()
    return FileFingerprint(
        path=path.relative_to(folder).as_posix(),
        sha256=content,
        size=stat.st_size,
        modified_ns=stat.st_mtime_ns,
        changed_ns=stat.st_ctime_ns,
    )
