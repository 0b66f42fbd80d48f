"""Tables and a picture of what `against_peers.py` measured.

    python benchmarks/compare_peers.py FOLDER [--picture docs/peers.png]

FOLDER gets `scores.csv` (test score of the best by validation, by task, method and number of trainings), `ranks.csv`
(mean rank over tasks and seeds, with its bootstrap interval), and `bias.csv` (validation minus test of the winner, in
the direction of the metric: positive is flattered). Only tasks and seeds that every method has are ranked.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from peers.tasks import TASKS

BUDGETS: Final = (3, 6, 10, 20, 30)
TWICE: Final = "random x2"
"""Random search at twice the budget."""
RESAMPLES: Final = 2000
KEY: Final = ["task", "seed", "method"]


def read(folder: Path) -> pd.DataFrame:
    """Every training, `gain` being the winner's test score signed so that more is better."""
    table = pd.concat(pd.read_csv(path) for path in sorted((folder / "trainings").glob("*.csv")))
    sign = table["task"].map(lambda name: 1 if TASKS[name].higher_is_better else -1)
    # The same accuracy, as single or double precision, is a tie.
    return table.assign(
        gain=(sign * table["test_of_best"]).round(6), flattered=sign * (table["best_valid"] - table["test_of_best"])
    )


def at(table: pd.DataFrame, budget: int) -> pd.DataFrame:
    """A row for each task, seed and method that was trained so often: its winner after so many trainings."""
    ends = table.groupby(KEY)["training"].transform("max")
    rows = table[(table["training"] <= budget) & (ends >= budget)]
    twice = table[(table["method"] == "random") & (table["training"] <= 2 * budget) & (ends >= 2 * budget)]
    rows = pd.concat([rows, twice.assign(method=TWICE)])
    return rows.groupby(KEY).last().reset_index().assign(trainings=budget)


def ranks(rows: pd.DataFrame) -> pd.DataFrame:
    """Mean rank of every method (1 is best, ties share), with the 95 % bootstrap interval over tasks and seeds."""
    wide = rows.pivot_table(index=["task", "seed"], columns="method", values="gain").dropna()
    placed = wide.rank(axis=1, ascending=False).to_numpy()
    draws = np.random.default_rng(0).integers(len(placed), size=(RESAMPLES, len(placed)))
    low, high = np.quantile(placed[draws].mean(axis=1), [0.025, 0.975], axis=0)
    made = {"rank": placed.mean(axis=0), "low": low, "high": high, "pairs": len(placed)}
    return pd.DataFrame(made, index=wide.columns).reset_index().assign(trainings=rows["trainings"].iloc[0])


def scores(table: pd.DataFrame) -> pd.DataFrame:
    rows = pd.concat(at(table, budget) for budget in BUDGETS)
    grouped = rows.groupby(["task", "method", "trainings"])["test_of_best"]
    return grouped.agg(["mean", "min", "max", "count"]).reset_index()


def bias(table: pd.DataFrame) -> pd.DataFrame:
    rows = pd.concat(at(table, budget) for budget in BUDGETS)
    rows = rows[rows["task"].map(lambda name: TASKS[name].higher_is_better)]
    return rows.groupby(["method", "trainings"])["flattered"].agg(["mean", "count"]).reset_index()


def draw(table: pd.DataFrame, path: Path) -> None:
    """The winner's test score after every training, mean over seeds, a task a panel."""
    names = [name for name in TASKS if name in set(table["task"])]
    figure, panels = plt.subplots(2, -(-len(names) // 2), figsize=(14, 6), squeeze=False, layout="constrained")
    for panel, name in zip(panels.flat, names, strict=False):
        of_task = table[table["task"] == name]
        for method, rows in of_task.groupby("method"):
            curve = rows.groupby("training")["test_of_best"].mean()
            panel.plot(curve.index, curve, label=method, linewidth=1.4)
        panel.set(title=f"{name} ({TASKS[name].metric})", xlabel="trainings")
        if not TASKS[name].higher_is_better:
            panel.set_yscale("log")
        panel.spines[["top", "right"]].set_visible(False)
    for panel in panels.flat[len(names) :]:
        panel.axis("off")
    figure.legend(*panels.flat[0].get_legend_handles_labels(), loc="lower right")
    figure.savefig(path, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--picture", type=Path)
    options = parser.parse_args()
    table = read(options.folder)
    ranked = pd.concat(ranks(rows) for budget in BUDGETS if len(rows := at(table, budget)))
    for name, made in (("scores", scores(table)), ("ranks", ranked), ("bias", bias(table))):
        made.round(4).to_csv(options.folder / f"{name}.csv", index=False)
    with pd.option_context("display.width", 200, "display.max_rows", None):
        print(scores(table).pivot(index=["task", "trainings"], columns="method", values="mean").round(4))
        print(ranked.round(2).to_string(index=False))
        print(bias(table).round(4).to_string(index=False))
    if options.picture is not None:
        draw(table, options.picture)


if __name__ == "__main__":
    main()
