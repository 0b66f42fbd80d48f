"""The loop beside Optuna at equal numbers of trainings: same data, same epochs, same weak baseline as first training.

    pip install -e '.[examples,benchmarks]' -c constraints.txt
    python benchmarks/against_optuna.py FOLDER [--seeds 0 1 2] [--trainings 10] [--minutes 25]

progtrain runs as it comes (`progtrain new`, `progtrain run`) from the example's script; Optuna's samplers choose from
the spaces of `benchmarks/peers/spaces.py`, in which the first trial is that same baseline. Nobody sees the test split:
the score is that of the version or trial that is best on the validation split. FOLDER gets `anytime.csv`, a row a
training; what it has already is not run again. After so many minutes nothing new is begun.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import optuna
import pandas as pd
import torch
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from peers.spaces import SPACES
from peers.training import read, train

from progtrain.step_records import EvaluateRecord, HiddenScore
from progtrain.workspace import Workspace

BUDGETS: Final = (6, 10)
HIGHER_IS_BETTER: Final = {"mnist1d": True, "tabular": False}
METRIC: Final = {"mnist1d": "accuracy", "tabular": "mae"}
STARTUP: Final = 3
"""TPE's default of ten random trials would leave it nothing to do in ten trainings."""
SAMPLERS: Final[dict[str, Callable[[int], BaseSampler]]] = {
    "optuna TPE": lambda seed: TPESampler(seed=seed, n_startup_trials=STARTUP),
    "optuna random": lambda seed: RandomSampler(seed=seed),
}


@dataclass(frozen=True)
class Training:
    """One training's score on the validation split, and on the test split where it was the best so far."""

    number: int
    valid: float
    test: float | None
    what: str


def better(example: str, value: float, best: float | None) -> bool:
    return best is None or (value > best if HIGHER_IS_BETTER[example] else value < best)


def progtrain(*arguments: str, cwd: Path) -> None:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MLFLOW_")}
    command = (sys.executable, "-m", *arguments)
    subprocess.run(command, cwd=cwd, env=environment, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def made_workspace(folder: Path, example: str, seed: int, trainings: int) -> Workspace:
    """The example with another seed, in the script as in the rules."""
    root = folder / example / str(seed)
    if not root.exists():
        progtrain("progtrain", "new", example, str(root), cwd=folder)
        path, script = root / "user_defined_rules.json", root / "02_train_baseline.py"
        rules = json.loads(path.read_text())
        rules |= {"seed": seed, "loop_config": {"max_versions": trainings}}
        path.write_text(json.dumps(rules))
        script.write_text(re.sub(r"^SEED = .*$", f"SEED = {seed}", script.read_text(), flags=re.MULTILINE))
    return Workspace(root)


def loop(workspace: Workspace, example: str, seed: int, trainings: int) -> Iterator[Training]:
    progtrain("progtrain", "run", str(workspace.root), cwd=workspace.root)
    best: float | None = None
    for number, version in enumerate(workspace.versions(), start=1):
        record = workspace.read_record(EvaluateRecord, "evaluate", version)
        metric = None if record is None else record.score.metric(METRIC[example])
        assert metric is not None
        assert metric.value is not None
        test = None
        if better(example, metric.value, best):
            best, test = metric.value, hidden(workspace, example, version)
        script = workspace.read_script(version)
        change = re.search(r"^# Change: (.*)$", script, flags=re.MULTILINE)
        yield Training(number, metric.value, test, change[1] if change else version)


def hidden(workspace: Workspace, example: str, version: str) -> float:
    output = workspace.root / f"{version}-test.json"
    progtrain("progtrain.evaluation.hidden_split", version, "--output", str(output), cwd=workspace.root)
    metric = HiddenScore.model_validate_json(output.read_bytes()).score.metric(METRIC[example])
    assert metric is not None
    assert metric.value is not None
    return metric.value


def search(sampler: BaseSampler, workspace: Workspace, example: str, seed: int, trainings: int) -> list[Training]:
    data = read(example, workspace.prepdata("v1"))
    made: list[Training] = []

    def objective(trial: optuna.Trial) -> float:
        settings = SPACES[example].draw(trial)
        scores = train(example, data, settings, seed)
        made.append(Training(len(made) + 1, scores.valid, scores.test, str(settings)))
        return scores.valid

    study = optuna.create_study(sampler=sampler, direction="maximize" if HIGHER_IS_BETTER[example] else "minimize")
    study.enqueue_trial(dict(SPACES[example].baseline))
    study.optimize(objective, n_trials=trainings)
    return made


def rows_of(example: str, method: str, seed: int, made: list[Training], seconds: float) -> Iterator[dict[str, object]]:
    """A row a training, with the test score of the best by validation up to there."""
    best, test = None, None
    for training in made:
        if better(example, training.valid, best):
            best, test = training.valid, training.test
        yield {
            "example": example,
            "method": method,
            "seed": seed,
            "training": training.number,
            "valid": training.valid,
            "best_valid": best,
            "test_of_best": test,
            "seconds_in_all": round(seconds),
            "what": training.what,
        }


def measured(folder: Path, examples: list[str], seeds: list[int], trainings: int, minutes: float) -> pd.DataFrame:
    path, begun = folder / "anytime.csv", time.monotonic()
    table = pd.read_csv(path) if path.is_file() else pd.DataFrame(columns=["example", "method", "seed"])
    for seed in seeds:
        for example in examples:
            for method in ("progtrain", *SAMPLERS):
                done = (table.example == example) & (table.method == method) & (table.seed == seed)
                if done.any() or time.monotonic() - begun > 60 * minutes:
                    continue
                workspace = made_workspace(folder, example, seed, trainings)
                start = time.monotonic()
                if method == "progtrain":
                    made = list(loop(workspace, example, seed, trainings))
                else:
                    made = search(SAMPLERS[method](seed), workspace, example, seed, trainings)
                rows = pd.DataFrame(rows_of(example, method, seed, made, time.monotonic() - start))
                print(rows.drop(columns="what").tail(1).to_string(header=False, index=False), flush=True)
                table = pd.concat([table, rows]) if len(table) else rows
                table.to_csv(path, index=False)
    return table


def at(table: pd.DataFrame, budget: int) -> pd.DataFrame:
    """After so many trainings (or as many as there were): the test score of the best, its mean and range over seeds."""
    last = table[table.training <= budget].groupby(["example", "method", "seed"]).last()["test_of_best"]
    return last.groupby(["example", "method"]).agg(["mean", "min", "max", "count"]).assign(trainings=budget)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--examples", nargs="+", default=list(SPACES), choices=list(SPACES))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--trainings", type=int, default=10)
    parser.add_argument("--minutes", type=float, default=25.0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    folder = options.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    table = measured(folder, options.examples, options.seeds, options.trainings, options.minutes)
    print(pd.concat([at(table, budget) for budget in BUDGETS if budget <= options.trainings]).to_string())


if __name__ == "__main__":
    main()
