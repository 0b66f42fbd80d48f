"""How many trainings it takes to mend a script in which a fault was planted.

    python benchmarks/recovery.py FOLDER [--seeds 0 1 2] [--faults "tiny model" ...] [--methods tpe ...] [--minutes 60]

A fault is planted in a script that is otherwise good (`benchmarks/planted/points.py`), on three data sets. The faulty
script is training 0: it is what one has. Counted are the trainings after it until the best so far is within 1 % of the
healthy script's score (accuracy, or root mean squared error) on the validation split, with the same seed. Nobody goes
on beyond 6; 7 stands for "not within 6". Where the faulty script is within 1 % already there is nothing to mend: its
row says 0, and no median counts it.

progtrain: `progtrain run` as it comes, on the faulty script's workspace, with the epochs fixed and 7 versions.
Optuna: TPE (3 random trials at first) and random search, with the faulty script as the enqueued first trial. Its
space (`points.drawn`) has the knob of every fault among its 8 or 9, the switch that standardizes inputs included:
whoever wrote it down knew what may be wrong. A trial that fails counts as a training, and is told as the worst.

Left out are faults of the data that no change of the script mends: wrong labels, outliers, 100 samples, a rare class.
Too few epochs is none, for epochs are what all share; dead ReLU and a skewed target have no knob in such a space.

FOLDER gets `recovery.csv`, a row a (data, fault, seed, method). What it has is not run again.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Final

import optuna
import pandas as pd
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from planted.faults import DATA, Data, Fault
from planted.points import MENDABLE, Point, drawn, point_of, written
from planted_faults import make_workspace, script_for

from progtrain.advisors.by_rule import RuleAdvisor
from progtrain.errors import ProgtrainError
from progtrain.executors import Executor
from progtrain.executors.local import LocalExecutor
from progtrain.rules import read_rules
from progtrain.step_records import EvaluateRecord
from progtrain.steps import STEPS, Context, initialize
from progtrain.tracking import Tracker
from progtrain.workspace import Workspace

WITHIN: Final = 0.01
MOST: Final = 6
"""Trainings beyond the faulty one."""
EPOCHS: Final = 15
STARTUP: Final = 3
"""TPE's default of ten random trials would leave it nothing to do."""
SAMPLERS: Final[dict[str, Callable[[int], BaseSampler]]] = {
    "tpe": lambda seed: TPESampler(seed=seed, n_startup_trials=STARTUP),
    "random": lambda seed: RandomSampler(seed=seed),
}
METHODS: Final = ("progtrain", *SAMPLERS)
CELL: Final = ["data", "fault", "seed", "method"]


@dataclass(frozen=True)
class Planting:
    """A fault in a data set's script; `score` in the trainings below is None where one failed."""

    data: Data
    fault: Fault
    seed: int

    @property
    def higher(self) -> bool:
        """Whether a higher score is better."""
        return self.data.task_type == "classification"

    def recovered(self, score: float | None, healthy: float) -> bool:
        if score is None:
            return False
        return score >= (1 - WITHIN) * healthy if self.higher else score <= (1 + WITHIN) * healthy

    def best(self, scores: Sequence[float | None]) -> float | None:
        return (max if self.higher else min)((score for score in scores if score is not None), default=None)


def prepare(root: Path, planting: Planting, point: Point) -> None:
    """A workspace with the planting's data, and the script at a point."""
    if root.exists():
        return
    making = root.with_name(f"{root.name}-making")  # renamed when whole: a killed run leaves no half of one
    subprocess.run(["rm", "-rf", str(making)], check=True)
    make_workspace(making, planting.data, planting.fault, planting.seed)
    source = script_for({**planting.data.constants, **point}, Fault(), planting.seed)
    (making / "02_train_baseline.py").write_text(written(source, point), encoding="utf-8")
    path = making / "user_defined_rules.json"
    rules = json.loads(path.read_text())
    rules |= {"loop_config": {"max_versions": MOST + 1}, "training_config": {"epochs": EPOCHS}}
    path.write_text(json.dumps(rules))
    making.rename(root)


def score_of(root: Path, version: str) -> float | None:
    record = Workspace(root).read_record(EvaluateRecord, "evaluate", version)
    if record is None:
        return None
    metric = record.score.metric("accuracy") or record.score.metric("rmse")
    return None if metric is None or metric.value is None or math.isnan(metric.value) else metric.value


def train(root: Path, planting: Planting, point: Point, executor: Executor) -> float | None:
    """One training and its score, as a loop's first version gets them; None where it failed."""
    prepare(root, planting, point)
    try:
        if score_of(root, "v001") is None:
            _train_and_evaluate(root, executor)
    except ProgtrainError as error:
        print(f"  {root.name}: {' '.join(str(error).split())[:150]}", flush=True)
    return score_of(root, "v001")


def _train_and_evaluate(root: Path, executor: Executor) -> None:
    workspace, rules = Workspace(root), read_rules(root)
    tracker = Tracker(workspace, rules, executor)  # never opened: nothing is sent
    context = Context(workspace, rules, executor, tracker, RuleAdvisor(), lambda line: None, lambda line: None)
    initialize(context)
    for step in STEPS[:2]:
        step.run(context, "v001")


def loop(root: Path, planting: Planting) -> list[float | None]:
    """The score of every version that `progtrain run` makes."""
    prepare(root, planting, point_of(planting.data, planting.fault))
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MLFLOW_")}
    environment |= {"OMP_NUM_THREADS": "1", "MLFLOW_DISABLE_TELEMETRY": "true"}
    with (root / "run.log").open("a") as log:
        command = (sys.executable, "-m", "progtrain", "run", str(root))
        done = subprocess.run(command, env=environment, stdout=log, stderr=subprocess.STDOUT, check=False, cwd=root)
    if done.returncode:
        print(f"  {root}: the loop ended with {done.returncode}, see run.log", flush=True)
    return [score_of(root, version) for version in Workspace(root).versions()]


def search(root: Path, planting: Planting, sampler: BaseSampler, executor: Executor) -> list[float | None]:
    """The score of every trial; the same seed draws the same trials, so that a killed search trains none again."""
    start, scores = point_of(planting.data, planting.fault), list[float | None]()

    def objective(trial: optuna.Trial) -> float:
        score = train(root / f"{trial.number:02d}", planting, drawn(trial, start), executor)
        scores.append(score)
        if score is None:
            raise optuna.TrialPruned  # without any intermediate value TPE takes it for the worst
        return score

    root.mkdir(parents=True, exist_ok=True)
    study = optuna.create_study(sampler=sampler, direction="maximize" if planting.higher else "minimize")
    study.enqueue_trial(dict(start))
    study.optimize(objective, n_trials=MOST + 1)
    return scores


def row_of(planting: Planting, healthy: float, scores: Sequence[float | None]) -> dict[str, object]:
    met = [planting.recovered(score, healthy) for score in scores]
    return {
        "trainings_needed": met.index(True) if True in met else MOST + 1,
        "healthy": healthy,
        "faulty": scores[0] if scores else None,
        "best": planting.best(scores),
        "scores": " ".join("-" if score is None else f"{score:.4g}" for score in scores),
    }


def cells(folder: Path, options: argparse.Namespace, executor: Executor) -> Iterator[dict[str, object]]:
    """A row for everything that recovery.csv does not have yet, as soon as it is measured."""
    path, begun = folder / "recovery.csv", time.monotonic()
    known = {tuple(row) for row in pd.read_csv(path)[CELL].itertuples(index=False)} if path.is_file() else set()
    sets = {name: make() for name, make in DATA.items()}
    for seed, fault, method, dataset in product(options.seeds, options.faults, options.methods, sets):
        late = time.monotonic() - begun > 60 * options.minutes
        if late or (dataset, fault, seed, method) in known:
            continue
        sound = Planting(sets[dataset], Fault(), seed)
        healthy = train(folder / dataset / "healthy" / str(seed), sound, point_of(sound.data, Fault()), executor)
        assert healthy is not None, "the healthy script must train"
        planting = Planting(sets[dataset], MENDABLE[fault], seed)
        root = folder / dataset / fault.replace("/", "by ").replace(", ", "-").replace(" ", "-") / str(seed) / method
        if method in SAMPLERS:
            # Seeded by the cell: one seed for all of them would draw all of them the same points.
            sampler = SAMPLERS[method](zlib.crc32(f"{dataset} {fault} {seed}".encode()))
            scores = search(root, planting, sampler, executor)
        else:
            scores = loop(root, planting)
        yield {"data": dataset, "fault": fault, "seed": seed, "method": method, **row_of(planting, healthy, scores)}


def tell(table: pd.DataFrame) -> None:
    """Medians over data sets and seeds, of what there was to mend."""
    ill = table[table.trainings_needed > 0]
    needed = ill.groupby(["fault", "method"], sort=False).trainings_needed
    print(needed.median().unstack(), f"plantings: {len(table)}, nothing to mend in {len(table) - len(ill)}", sep="\n\n")
    overall = ill.groupby("method", sort=False).trainings_needed
    print(pd.DataFrame({"median": overall.median(), "within 6": overall.apply(lambda n: (n <= MOST).mean())}).round(2))
    print(f"\n{MOST + 1} is: not within {MOST}. The fault's knob is in the space of tpe and random.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--faults", nargs="+", default=list(MENDABLE), choices=list(MENDABLE))
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=METHODS)
    parser.add_argument("--minutes", type=float, default=60.0, help="after these nothing further is begun")
    options = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    folder = options.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "recovery.csv"
    with LocalExecutor("warm", folder / "supervisor.log") as executor:
        for row in cells(folder, options, executor):
            pd.DataFrame([row]).to_csv(path, mode="a", header=not path.is_file(), index=False)
            print(f"{row['data']:9} {row['fault']:20} {row['seed']} {row['method']:10} {row['scores']}", flush=True)
    tell(pd.read_csv(path))


if __name__ == "__main__":
    main()
