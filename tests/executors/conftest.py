from collections.abc import Iterator
from pathlib import Path
from typing import Literal, Protocol

import pytest

from progtrain.executors import Job, Outcome
from progtrain.executors.local import LocalExecutor


class RunSource(Protocol):
    def __call__(self, source: str, *arguments: str, time_limit: float | None = None) -> tuple[Outcome, str]: ...


@pytest.fixture(scope="module", params=["warm", "fresh"])
def isolation(request: pytest.FixtureRequest) -> Literal["warm", "fresh"]:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def executor(isolation: Literal["warm", "fresh"], tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalExecutor]:
    """One for all tests of a module: the warm one imports torch at its start."""
    log = tmp_path_factory.mktemp("executor") / "supervisor.log"
    with LocalExecutor(isolation, log, {"FOR_EVERY_JOB": "yes"}) as local:
        yield local


@pytest.fixture
def run_source(executor: LocalExecutor, tmp_path: Path) -> RunSource:
    """Run a script of this text in tmp_path; gives the outcome and what stands in the log."""

    def run(source: str, *arguments: str, time_limit: float | None = None) -> tuple[Outcome, str]:
        (tmp_path / "script.py").write_text(source)
        log = tmp_path / "logs" / "job.log"
        outcome = executor.run(Job(("script.py", *arguments), tmp_path, log, time_limit))
        return outcome, log.read_text()

    return run
