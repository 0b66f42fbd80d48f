"""Whether last.ckpt is the end of a training: its epoch, held against the last one in the log."""

from __future__ import annotations

import csv
import io
import pickle
import zipfile
from pathlib import Path
from typing import Any, Final

from progtrain.curves import latest_metrics_csv
from progtrain.records import Snapshot

_WHY: Final = (
    "save_last=True beside a monitor writes it only with a new best. Pass ModelCheckpoint(dirpath=..., "
    'filename="last", save_on_train_epoch_end=True, enable_version_counter=False) to the Trainer in its place'
)


def not_the_end(artifacts: Path) -> str | None:
    """Why last.ckpt is not what the training ended with; None where it is, or where one of the two cannot be told.

    Args:
        artifacts: a version's folder.
    """
    log = latest_metrics_csv(artifacts)
    end, kept = None if log is None else _last_epoch(log), _epoch(artifacts / "last.ckpt")
    if end is None or kept is None or kept >= end:
        return None
    return f"last.ckpt is of epoch {kept}, the training ended with epoch {end}: {_WHY}"


def will_not_be_the_end(snapshot: Snapshot, source: str) -> str | None:
    """Why last.ckpt is not going to be what the training ends with; None where it is, or where one cannot tell.

    Args:
        snapshot: what is about to be trained.
        source: the script.
    """
    beside_best = any(each.save_last and each.monitor for each in snapshot.checkpoints)
    if not beside_best or any(each.keeps_end for each in snapshot.checkpoints) or "last.ckpt" in source:
        return None
    return f"last.ckpt would not be the end of the training: {_WHY}"


def _last_epoch(log: Path) -> int | None:
    with log.open(encoding="utf-8", newline="") as file:
        epochs = [row["epoch"] for row in csv.DictReader(file) if row.get("epoch")]
    try:
        return max((int(float(epoch)) for epoch in epochs), default=None)
    except ValueError:
        return None


def _epoch(checkpoint: Path) -> int | None:
    try:
        with zipfile.ZipFile(checkpoint) as archive:
            name = next(name for name in archive.namelist() if name.endswith("/data.pkl"))
            content = _Reader(io.BytesIO(archive.read(name))).load()
    except (
        OSError,
        zipfile.BadZipFile,
        StopIteration,
        pickle.UnpicklingError,
        AttributeError,
        TypeError,
        EOFError,
        ValueError,
        LookupError,
    ):
        return None  # of another format
    epoch = content.get("epoch") if isinstance(content, dict) else None
    return epoch if isinstance(epoch, int) else None


class _Inert:
    """Stands for whatever a checkpoint names: nothing of it is run, and torch is not needed."""

    def __init__(self, *arguments: object) -> None:
        pass

    def __call__(self, *arguments: object) -> _Inert:
        return self

    def __setstate__(self, state: object) -> None:
        pass

    def __setitem__(self, key: object, value: object) -> None:
        pass

    def append(self, item: object) -> None:
        pass

    def extend(self, items: object) -> None:
        pass

    def add(self, item: object) -> None:
        pass


class _Reader(pickle.Unpickler):
    """Reads numbers, strings and built-in containers of a pickle."""

    def find_class(self, module: str, name: str) -> Any:
        """Nothing is imported."""
        return _Inert

    def persistent_load(self, pid: object) -> None:
        """Tensors are left where they are."""
