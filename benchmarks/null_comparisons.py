"""How often two versions of no true difference are called different: the A/A test of the verdicts.

    python benchmarks/null_comparisons.py [--comparisons 200] [--csv FILE]

Both sides of a comparison are drawn from one distribution, sample by sample: the samples differ in how hard they are,
the two sides only in the draw, as two trainings of one script do. Every verdict other than "within noise" is wrong.
The nominal rate is 2.5 % each for improved and regressed. The intervals are exact binomial ones (Clopper and Pearson,
1934). In `few disagree` nearly all samples are answered alike, as after a very small change.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from scipy.stats import binomtest

from progtrain.evaluation.scoring.comparison import compare
from progtrain.evaluation.scoring.statistic import statistic_for
from progtrain.predictions import Predictions
from progtrain.records import MetricValue
from progtrain.tasks import Task

NO_USER_METRICS = Path("there is no metrics.py")
NOMINAL = 0.025
CLASSES = 5
Pair = tuple[Predictions, Predictions]


@dataclass(frozen=True)
class Case:
    """A metric on samples of one kind."""

    name: str
    metric: str
    task: Task
    higher_is_better: bool
    draw: Callable[[np.random.Generator, int], Pair]


@dataclass(frozen=True)
class Row:
    """How often the verdicts of one case were wrong."""

    case: str
    samples: int
    comparisons: int
    improved: int
    improved_rate: float
    improved_low: float
    improved_high: float
    regressed: int
    regressed_rate: float


def of(targets: np.ndarray, answers: np.ndarray, outputs: np.ndarray) -> Predictions:
    ids = np.arange(len(targets)).astype(str)
    return Predictions(ids, targets, outputs, answers, np.zeros(len(targets)))


def classes(share_open: float) -> Callable[[np.random.Generator, int], Pair]:
    """A share of the samples is answered rightly with a chance of its own, the others always; class 0 is frequent."""

    def draw(random: np.random.Generator, count: int) -> Pair:
        targets = random.choice(CLASSES, count, p=[0.4, 0.3, 0.15, 0.1, 0.05])
        is_open = random.random(count) < share_open
        chance = np.where(is_open, random.beta(2, 1, count), 1.0)
        other = (targets + random.integers(1, CLASSES, count)) % CLASSES

        def side() -> Predictions:
            answers = np.where(random.random(count) < chance, targets, other)
            return of(targets, answers, np.eye(CLASSES)[answers])

        return side(), side()

    return draw


def values(random: np.random.Generator, count: int) -> Pair:
    """Errors of a size of their own for every sample, a few of them large."""
    targets = random.normal(0, 3, count)
    scale = np.exp(random.normal(0, 0.7, count))

    def side() -> Predictions:
        answers = targets + scale * random.normal(size=count)
        return of(targets, answers, answers)

    return side(), side()


def texts(random: np.random.Generator, count: int) -> Pair:
    """Lines of 5 to 25 characters; each is spoilt with a chance of its own, character by character."""
    alphabet = np.array(list("abcdefghij"))
    lines = [random.choice(alphabet, random.integers(5, 26)) for _ in range(count)]
    chances = random.beta(0.5, 6, count)
    truths = np.array(["".join(line) for line in lines])

    def side() -> Predictions:
        spoilt = (np.where(random.random(len(n)) < p, "x", n) for n, p in zip(lines, chances, strict=True))
        return of(truths, np.array(["".join(line) for line in spoilt]), np.zeros((count, 0)))

    return side(), side()


CASES = (
    Case("accuracy", "accuracy", "classification", True, classes(0.5)),
    Case("accuracy, few disagree", "accuracy", "classification", True, classes(0.05)),
    Case("f1_macro", "f1_macro", "classification", True, classes(0.5)),
    Case("rmse", "rmse", "regression", False, values),
    Case("cer", "cer", "transcription", False, texts),
)


def verdict(case: Case, samples: int, seed: int) -> str:
    before, after = case.draw(np.random.default_rng([seed, samples]), samples)
    statistic = statistic_for(case.metric, case.task, after)
    assert statistic is not None
    evenly = np.full((1, samples), 1 / samples)
    was, now = (
        MetricValue(name=case.metric, value=float(statistic(side)(evenly)[0]), higher_is_better=case.higher_is_better)
        for side in (before, after)
    )
    return compare(before, after, was, now, case.task, NO_USER_METRICS, seed=42).verdict


def measured(case: Case, samples: int, comparisons: int) -> Row:
    found = Counter(verdict(case, samples, seed) for seed in range(comparisons))
    improved, regressed = found["improved"], found["regressed"]
    interval = binomtest(improved, comparisons).proportion_ci(0.95)
    return Row(
        case=case.name,
        samples=samples,
        comparisons=comparisons,
        improved=improved,
        improved_rate=improved / comparisons,
        improved_low=float(interval.low),
        improved_high=float(interval.high),
        regressed=regressed,
        regressed_rate=regressed / comparisons,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--comparisons", type=int, default=200)
    parser.add_argument("--samples", type=int, nargs="+", default=[100, 400, 1600])
    parser.add_argument("--csv", type=Path, help="file for the table; standard output where it is not given")
    options = parser.parse_args()
    rows = []
    print(
        f"{'case':24} {'samples':>7}  {'false improved':>14}  {'95 % interval':>15}  nominal  {'false regressed':>15}"
    )
    for case in CASES:
        for samples in options.samples:
            row = measured(case, samples, options.comparisons)
            rows.append(row)
            interval = f"{row.improved_low:.1%} to {row.improved_high:.1%}"
            print(
                f"{row.case:24} {row.samples:7}  {row.improved_rate:14.1%}  {interval:>15}  {NOMINAL:7.1%}  "
                f"{row.regressed_rate:15.1%}",
                flush=True,
            )
    with options.csv.open("w", newline="") if options.csv else sys.stdout as handle:
        writer = csv.DictWriter(handle, list(asdict(rows[0])), lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(row) for row in rows)


if __name__ == "__main__":
    main()
