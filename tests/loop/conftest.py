"""Workspaces small enough to run whole loops in tests, and ways to run them as a user would."""

import csv
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

PROJECT = Path(__file__).resolve().parents[2]
CHECKER = PROJECT.parent / "shared" / "tools" / "check_workspace.py"

Run = Callable[..., subprocess.CompletedProcess[str]]


def environment(**extra: str) -> dict[str, str]:
    """The test's own environment without a tracking server, MLflow silent."""
    own = {key: value for key, value in os.environ.items() if not key.startswith("MLFLOW_")}
    return {**own, "MLFLOW_DISABLE_TELEMETRY": "true", **extra}


@pytest.fixture(scope="session")
def progtrain() -> Run:
    """`progtrain ARGUMENTS` to its end."""

    def run(*arguments: str | Path, **extra: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "progtrain", *map(str, arguments)]
        return subprocess.run(command, env=environment(**extra), capture_output=True, text=True, check=False)

    return run


@pytest.fixture(scope="session")
def signals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The mnist1d example with a tenth of its data, three epochs and two versions."""
    from mnist1d.data import get_dataset_args, make_dataset

    root = tmp_path_factory.mktemp("template") / "signals"
    root.mkdir()
    shutil.copy(PROJECT / "examples" / "mnist1d" / "02_train_baseline.py", root)
    arguments = get_dataset_args()
    arguments.num_samples = 600
    data = make_dataset(arguments)
    x, y = data["x"].astype(np.float32), data["y"]
    prepdata = root / "dataset" / "prepdata" / "v1"
    for split, rows in (("train", slice(0, 320)), ("valid", slice(320, 480))):
        (prepdata / split).mkdir(parents=True)
        np.savez(prepdata / split / "signals.npz", x=x[rows], y=y[rows])
    stats = {"task_type": "classification", "num_train": 320, "num_valid": 160}
    (prepdata / "stats.json").write_text(json.dumps(stats))
    write_rules(root, max_versions=2)
    return root


def write_rules(root: Path, max_versions: int) -> None:
    """Rules of the small workspace."""
    rules = {
        "seed": 42,
        "loop_config": {"max_versions": max_versions},
        "dataset_config": {"dataset_id": "v1"},
        "training_config": {"epochs": 3},
        "eval_config": {"primary_metric": "accuracy", "metrics": ["accuracy", "f1"], "infer_samples": 3},
    }
    (root / "user_defined_rules.json").write_text(json.dumps(rules, indent=2))


@pytest.fixture
def workspace(signals: Path, tmp_path: Path) -> Path:
    """A fresh copy of the small workspace."""
    return Path(shutil.copytree(signals, tmp_path / "signals"))


def leaderboard(root: Path) -> list[dict[str, str]]:
    """The newest report's rows, without the columns that are times."""
    report = sorted((root / "Models" / "Report").iterdir())[-1]
    with (report / "leaderboard.csv").open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    return [{key: value for key, value in row.items() if key not in ("created_at", "latency_ms")} for row in rows]


def hold_against_written_rules(root: Path) -> None:
    """Run the checker of the written rules, where it is at hand."""
    if CHECKER.is_file():
        checked = subprocess.run([sys.executable, CHECKER, root], capture_output=True, text=True, check=False)
        assert checked.returncode == 0, checked.stdout
