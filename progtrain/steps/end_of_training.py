"""Whether last.ckpt is the end of a training: the batches that it has seen, held against the log."""

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
    end, content = None if log is None else _last_step(log), _content(artifacts / "last.ckpt")
    seen = _batches(content)
    if end is None or seen is None or seen >= end:  # what is tested after a training is logged at the step behind it
        return None
    return (
        f"last.ckpt is of epoch {content.get('epoch')}, after {seen} batches; the training went on to {end + 1}: {_WHY}"
    )


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


def _last_step(log: Path) -> int | None:
    with log.open(encoding="utf-8", newline="") as file:
        steps = [row["step"] for row in csv.DictReader(file) if row.get("step")]
    try:
        return max((int(float(step)) for step in steps), default=None)
    except ValueError:
        return None


def _batches(content: dict[Any, Any]) -> int | None:
    """How many batches a checkpoint's training has seen, as Lightning counts the steps of a log."""
    try:
        seen = content["loops"]["fit_loop"]["epoch_loop.state_dict"]["_batches_that_stepped"]
    except (KeyError, TypeError):
        return None
    return seen if isinstance(seen, int) else None


def _content(checkpoint: Path) -> dict[Any, Any]:
    """What stands in a checkpoint, tensors and objects left out; empty where it is of another format."""
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
        return {}
    return content if isinstance(content, dict) else {}


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
