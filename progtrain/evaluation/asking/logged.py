"""What a version's script logged on the validation set when its best checkpoint was written."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from progtrain.curves import Point, latest_metrics_csv, read_curves
from progtrain.script.capturing.checkpoints import read_checkpoint
from progtrain.step_records import AuthorRecord
from progtrain.workspace import Workspace

#: Knobs whose change gives a script another loss, also where its validation shares it.
_LOSS_KNOBS: Final = frozenset({"loss", "label_smoothing"})


def logged_at(artifacts: Path, checkpoint: Path) -> dict[str, tuple[float, ...]]:
    """The figures in metrics.csv at the moment of a checkpoint, by the script's own names; empty without a log.

    There are several where a script logs of training and validation by the same name: the log does not tell which is
    which.

    Args:
        artifacts: folder of the version, with `logs/`.
        checkpoint: written by Lightning.

    Raises:
        EvaluationError: the checkpoint cannot be read.
    """
    log = latest_metrics_csv(artifacts)
    if log is None:
        return {}
    content = read_checkpoint(checkpoint)
    step, epoch = _whole(content.get("global_step")), _whole(content.get("epoch"))
    columns = read_curves(log).columns
    found = {name: _at(points, step, epoch) for name, points in columns.items()}
    return {name: values for name, values in found.items() if values}


def loss_changed_in(workspace: Workspace, version: str) -> bool:
    """Whether a change on the way to this version gave its script another loss than the first version's."""
    each: str | None = version
    while each is not None:
        record = workspace.read_record(AuthorRecord, "author", each)
        if record is None:
            return False
        if _LOSS_KNOBS & {*record.touches}:
            return True
        each = record.parent
    return False


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) else None


def _at(points: tuple[Point, ...], step: int | None, epoch: int | None) -> tuple[float, ...]:
    """The values at the checkpoint's step, which a log counts from 0, else the last of its epoch."""
    of_epoch = [point.value for point in points if epoch is not None and point.epoch == epoch]
    at_step = [point.value for point in points if step is not None and point.step == step - 1]
    return tuple(at_step or of_epoch[-1:])
