"""The scripts of benchmarks/foreign_scripts.py, and a process to run their steps in."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from progtrain.executors.local import LocalExecutor

BENCHMARKS = Path(__file__).resolve().parents[3] / "benchmarks"


@pytest.fixture(scope="package", autouse=True)
def _importable() -> Iterator[None]:
    sys.path.insert(0, str(BENCHMARKS))
    yield
    sys.path.remove(str(BENCHMARKS))


@pytest.fixture(scope="package")
def executor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalExecutor]:
    environment = {"PYTHONWARNINGS": "ignore", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(BENCHMARKS)}
    with LocalExecutor("warm", tmp_path_factory.mktemp("executor") / "supervisor.log", environment) as warm:
        yield warm
