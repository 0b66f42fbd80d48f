"""The planted script as a point in a space: a fault moves one of its knobs, and a search may move them all."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from optuna import Trial
from planted.faults import FAULTS, Data, Fault

Value = bool | int | float | str
Point = Mapping[str, Value]

HEALTHY: Final[Point] = {
    "LEARNING_RATE": 0.005,
    "WEIGHT_DECAY": 0.01,
    "SHUFFLE": True,
    "HIDDEN": 64,
    "LAYERS": 2,
    "OPTIMIZER": "AdamW",
    "DROPOUT": 0.0,
    "STANDARDIZED": False,
}
"""Knob -> what the healthy script has. The first are its constants; the last three are written into it, see `written`,
so that the script that is to be mended shows no switch to flip."""

MENDABLE: Final[Mapping[str, Fault]] = {
    **{
        name: FAULTS[name]
        for name in (
            "rate x100",
            "rate /100",
            "sorted, no shuffle",
            "weight decay 100",
            "unscaled inputs",
            "tiny model",
        )
    },
    "plain SGD": Fault(constants={"OPTIMIZER": "SGD"}),
    "dropout 0.8": Fault(constants={"DROPOUT": 0.8}),
}
"""Fault -> what it is, of those that a change of the script mends."""

_STANDARDIZE: Final = """
        of_train = np.load(DATA_DIR / "train" / "arrays.npz")["x"]
        spread = of_train.std(axis=0)
        x = (arrays["x"] - of_train.mean(axis=0)) / np.where(spread == 0, 1, spread)
        return TensorDataset(torch.from_numpy(x.astype("float32")), torch.from_numpy(arrays["y"]))"""


def point_of(data: Data, fault: Fault) -> Point:
    """Where a fault puts the script, on a data set."""
    start = {name: value for name, value in data.constants.items() if name == "CHANNELS"}
    point = {**HEALTHY, **start, **fault.constants}
    for name, factor in fault.factors.items():
        if name in point:
            scaled = point[name] * factor
            point[name] = round(scaled) if isinstance(point[name], int) else scaled
    return point


def drawn(trial: Trial, start: Point) -> Point:
    """A point of the space, which has the knob of every fault; `start` says whether there are channels."""
    point = {
        "LEARNING_RATE": trial.suggest_float("LEARNING_RATE", 1e-6, 1.0, log=True),
        "WEIGHT_DECAY": trial.suggest_float("WEIGHT_DECAY", 1e-6, 100.0, log=True),
        "SHUFFLE": trial.suggest_categorical("SHUFFLE", [False, True]),
        "HIDDEN": trial.suggest_int("HIDDEN", 2, 256, log=True),
        "LAYERS": trial.suggest_int("LAYERS", 1, 4),
        "OPTIMIZER": trial.suggest_categorical("OPTIMIZER", ["AdamW", "SGD"]),
        "DROPOUT": trial.suggest_float("DROPOUT", 0.0, 0.8),
        "STANDARDIZED": trial.suggest_categorical("STANDARDIZED", [False, True]),
    }
    return point | ({"CHANNELS": trial.suggest_int("CHANNELS", 2, 64, log=True)} if "CHANNELS" in start else {})


def written(source: str, point: Point) -> str:
    """The healthy script with what is no constant of it: another optimizer, dropout, standardized inputs."""
    if point["OPTIMIZER"] != "AdamW":
        source = _replaced(source, "optim.AdamW", f"optim.{point['OPTIMIZER']}")
    if point["DROPOUT"]:
        source = _replaced(source, "norm, nn.ReLU()]", "norm, nn.ReLU(), nn.Dropout(DROPOUT)]")
        source = re.sub(r"^(LAYERS = .*)$", rf"\1\nDROPOUT = {point['DROPOUT']!r}", source, flags=re.MULTILINE)
    if point["STANDARDIZED"]:
        plain = '\n        return TensorDataset(torch.from_numpy(arrays["x"]), torch.from_numpy(arrays["y"]))'
        source = _replaced(source, plain, _STANDARDIZE)
    return source


def _replaced(source: str, old: str, new: str) -> str:
    assert source.count(old) == 1, old
    return source.replace(old, new)
