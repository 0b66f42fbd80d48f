"""Learning curves as Lightning's CSVLogger writes them."""

from __future__ import annotations

import csv
import math
import re
from dataclasses import dataclass
from pathlib import Path

_BOOKKEEPING = {"epoch", "step"}
_VALID = re.compile(r"(^|[^a-z])(val|valid|validation|dev)([^a-z]|$)")
_TEST = re.compile(r"(^|[^a-z])test([^a-z]|$)")
_LOSS = re.compile(r"loss|(^|_)(nll|mse|bce|ce)$")


@dataclass(frozen=True)
class Point:
    """One logged value."""

    step: int
    epoch: int | None
    value: float


@dataclass(frozen=True)
class Curves:
    """Every logged quantity by its column's name, points in the order of their steps."""

    columns: dict[str, tuple[Point, ...]]

    @property
    def train_loss(self) -> tuple[Point, ...]:
        """The training loss, by epoch where it is logged so; empty where it is not logged."""
        names = [name for name in self.columns if _LOSS.search(name) and not _VALID.search(name.lower())]
        names.sort(
            key=lambda name: (not name.endswith("_epoch"), name.endswith("_step"), "train" not in name, len(name))
        )
        return self.columns[names[0]] if names else ()

    @property
    def valid_loss(self) -> tuple[Point, ...]:
        """The validation loss; empty where it is not logged."""
        names = [name for name in self.columns if _LOSS.search(name) and _VALID.search(name.lower())]
        return self.columns[min(names, key=len)] if names else ()

    @property
    def valid_metrics(self) -> dict[str, tuple[Point, ...]]:
        """Validation columns that are not losses."""
        return {
            name: points
            for name, points in self.columns.items()
            if _VALID.search(name.lower()) and not _LOSS.search(name)
        }


def latest_metrics_csv(artifacts: Path) -> Path | None:
    """logs/version_0/metrics.csv, else the one of the highest version_#; None where there is none."""
    first = artifacts / "logs" / "version_0" / "metrics.csv"
    if first.is_file():
        return first
    found = sorted(
        artifacts.glob("logs/version_*/metrics.csv"), key=lambda path: int(path.parent.name.rpartition("_")[2])
    )
    return found[-1] if found else None


def read_curves(path: Path) -> Curves:
    """Read a metrics.csv, also one that is still being written (an unfinished last line is left out).

    What the script logs after the training, by `trainer.validate` or `trainer.test`, is left out too.
    """
    text = path.read_text(encoding="utf-8")
    lines = text[: text.rfind("\n") + 1].splitlines()
    columns: dict[str, list[Point]] = {}
    for index, row in enumerate(_of_the_training(list(csv.DictReader(lines)))):
        step, epoch = _whole(row.get("step")), _whole(row.get("epoch"))
        for name, cell in row.items():
            if name is None or name in _BOOKKEEPING or not isinstance(cell, str) or cell == "":
                continue
            columns.setdefault(name, []).append(Point(index if step is None else step, epoch, _number(cell)))
    return Curves({name: tuple(points) for name, points in columns.items()})


def _of_the_training(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """The rows without those of the end that Lightning writes one step and one epoch after the last of the training.

    Where an epoch is one step, only a figure of the training tells them from one more epoch.
    """
    places = [(_whole(row.get("epoch")), _whole(row.get("step"))) for row in rows]
    epoch, step = places[-1] if places else (None, None)
    if epoch is None or step is None or (epoch - 1, step - 1) not in places:
        return rows
    trained = {place for row, place in zip(rows, places, strict=True) if _is_trained(row)}
    if (epoch, step) in trained or (step <= epoch and (epoch - 1, step - 1) not in trained):
        return rows
    return [row for row, place in zip(rows, places, strict=True) if place != (epoch, step)]


def _is_trained(row: dict[str, str]) -> bool:
    """Whether a row has a figure of the training."""
    names = [name.lower() for name, cell in row.items() if name and cell and name not in _BOOKKEEPING]
    return any(not _VALID.search(name) and not _TEST.search(name) for name in names)


def by_epoch(points: tuple[Point, ...]) -> tuple[float, ...]:
    """The mean of each epoch's values, in order; points without an epoch count as one each."""
    groups: dict[tuple[bool, int], list[float]] = {}
    for index, point in enumerate(points):
        key = (False, index) if point.epoch is None else (True, point.epoch)
        groups.setdefault(key, []).append(point.value)
    return tuple(sum(values) / len(values) for values in groups.values())


def _whole(cell: str | None) -> int | None:
    return int(float(cell)) if cell else None


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return math.nan
