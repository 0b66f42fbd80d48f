"""Bringing files into a run's artifacts, each once for as long as it does not change."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from mlflow import MlflowClient


@dataclass(frozen=True)
class FileSet:
    """What a run's artifacts are to hold, by artifact path."""

    files: Mapping[str, Path]
    texts: Mapping[str, str]

    def stamps(self) -> dict[str, str]:
        """Artifact path -> what changes when its content does."""
        texts = {path: hashlib.sha256(text.encode()).hexdigest() for path, text in self.texts.items()}
        return {path: _stamp(file) for path, file in self.files.items()} | texts


def folder_files(folder: Path, prefix: str = "") -> dict[str, Path]:
    """Every file below a folder, by its path from there."""
    return {prefix + path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}


def push_files(
    client: MlflowClient,
    run_id: str,
    wanted: FileSet,
    sent: Mapping[str, str],
    note: Callable[[dict[str, str]], object],
) -> None:
    """Send what is new or has changed.

    Args:
        client: of the store.
        run_id: whose artifacts they are.
        wanted: what the run is to hold.
        sent: stamps of what the run holds already.
        note: is given the stamps of all that the run holds, also if sending fails halfway.
    """
    stamps = {path: stamp for path, stamp in wanted.stamps().items() if sent.get(path) != stamp}
    done = dict(sent)
    try:
        for path, stamp in stamps.items():
            if path in wanted.texts:
                client.log_text(run_id, wanted.texts[path], path)
            else:
                _log_file(client, run_id, wanted.files[path], path)
            done[path] = stamp
    finally:
        if done != sent:
            note(done)


def _log_file(client: MlflowClient, run_id: str, file: Path, path: str) -> None:
    folder = path.rpartition("/")[0]
    client.log_artifact(run_id, str(file), folder or None)


def _stamp(file: Path) -> str:
    status = file.stat()
    return f"{status.st_size}-{status.st_mtime_ns}"
