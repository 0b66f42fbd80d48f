from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from progtrain.records import Experience, Finding, Memory, Proposal
from progtrain.step_records import Attempt


@pytest.fixture
def make_proposal() -> Callable[..., Proposal]:
    def make(action: str, **changes: object) -> Proposal:
        plain = Proposal(
            action=action,
            family="regularization",
            answers="overfitting",
            parameters={"value": 0.1},
            touches=("dropout",),
            goal="",
            change="",
            where="",
            expected_impact="",
            risk="low",
            verification="",
            probability=0.5,
            gain=0.2,
        )
        return plain.model_copy(update=changes)

    return make


@pytest.fixture
def make_finding() -> Callable[..., Finding]:
    return lambda name, severity=0.5: Finding(name=name, numbers={}, severity=severity, message=name)


@pytest.fixture
def make_attempt() -> Callable[..., Attempt]:
    def make(version: str, action: str = "baseline", verdict: str = "first", **changes: object) -> Attempt:
        plain = Attempt(
            version=version,
            parent=None if verdict == "first" else "v001",
            action=action,
            parameters={"value": 0.1},
            touches=("dropout",),
            verdict="first",
            primary=0.5,
            knobs={},
        )
        return plain.model_copy(update={"verdict": verdict, **changes})

    return make


@pytest.fixture
def make_memory() -> Callable[..., Memory]:
    """`make_memory((action, finding, task, tried, improved), …)` of a loop that does classification."""

    def make(*known: tuple[str, str, str, int, int]) -> Memory:
        entries = tuple(
            Experience(action=action, finding=finding, task=task, tried=tried, improved=improved)
            for action, finding, task, tried, improved in known
        )
        moment = datetime(2026, 2, 23, tzinfo=UTC)
        return Memory(store="sqlite:///x.db", task="classification", loops=2, entries=entries, read_at=moment)

    return make
