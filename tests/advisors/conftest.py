from __future__ import annotations

from collections.abc import Callable

import pytest

from progtrain.records import Attempt, Finding, Proposal


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
