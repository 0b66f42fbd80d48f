"""Tables of actions: a script before, the script after, and refusals; situations built from a small perceptron."""

from __future__ import annotations

import json
from collections.abc import Callable
from textwrap import dedent
from typing import Any

import pytest

from progtrain.actions import Situation, action_named
from progtrain.errors import EditError
from progtrain.records import Call, Finding, Layer, LoaderSettings, OptimizerSettings, Proposal, Refusal, Snapshot
from progtrain.script.anatomy import read_anatomy


@pytest.fixture(scope="session")
def becomes() -> Callable[..., None]:
    """`becomes(action, before, after, **parameters)`: replayed from JSON, compiled, and refused a second time."""

    def check(action: str, before: str, after: str, **parameters: Any) -> None:
        replayed = json.loads(json.dumps(parameters))
        child = action_named(action).apply(dedent(before), replayed)
        assert child == dedent(after)
        compile(child, "after", "exec")
        with pytest.raises(EditError):
            action_named(action).apply(child, replayed)

    return check


@pytest.fixture(scope="session")
def cannot() -> Callable[..., None]:
    """`cannot(action, source, match, **parameters)`: the edit is refused, with words that match."""

    def check(action: str, source: str, match: str, **parameters: Any) -> None:
        with pytest.raises(EditError, match=match):
            action_named(action).apply(dedent(source), parameters)

    return check


SGD = {"lr": 0.01, "momentum": 0, "dampening": 0, "weight_decay": 0, "nesterov": False, "parameters": 7434}


@pytest.fixture(scope="session")
def snapshot_with() -> Callable[..., Snapshot]:
    """`snapshot_with(**fields)`: that of a perceptron 40-64-64-10 under plain SGD, some fields changed."""

    def make(**fields: Any) -> Snapshot:
        loader = LoaderSettings(
            size=3200, batch_size=64, shuffle=True, sampler="RandomSampler", workers=0, fingerprint=None
        )
        snapshot = Snapshot(
            optimizers=(OptimizerSettings(type="SGD", groups=(SGD,)),),
            schedulers=(),
            max_epochs=20,
            max_steps=-1,
            gradient_clip_val=None,
            gradient_clip_algorithm=None,
            accumulate_grad_batches=1,
            precision="32-true",
            seed=42,
            train=loader,
            valid=loader.model_copy(update={"size": 800, "shuffle": False}),
            callbacks=(),
            checkpoints=(),
            loggers=(),
            layers=(
                Layer(path="net.0", type="Linear", arguments={"in_features": 40, "out_features": 64}, parameters=2624),
                Layer(path="net.1", type="ReLU", arguments={}),
                Layer(path="net.2", type="Linear", arguments={"in_features": 64, "out_features": 10}, parameters=650),
            ),
            calls=(
                Call(function="linear", arguments={}, shapes=((64, 40), (64, 40), (64,))),
                Call(function="relu", arguments={}, shapes=((64, 64),)),
                Call(function="linear", arguments={}, shapes=((64, 64), (10, 64), (10,))),
            ),
            parameters=7434,
            first_loss=2.3,
            batch=[{"shape": [64, 40]}],
        )
        return snapshot.model_copy(update=fields)

    return make


@pytest.fixture(scope="session")
def proposed(snapshot_with: Callable[..., Snapshot]) -> Callable[..., Proposal | Refusal]:
    """`proposed(action, source, finding, locks={}, **snapshot_fields)`: what the action offers."""

    def propose(
        action: str, source: str, finding: str, locks: dict[str, Any] | None = None, **fields: Any
    ) -> Proposal | Refusal:
        return action_named(action).propose(
            Situation(
                anatomy=read_anatomy(dedent(source)),
                snapshot=snapshot_with(**fields),
                findings=(Finding(name=finding, numbers={}, severity=0.5, message=finding),),
                history=(),
                locks=locks or {},
            )
        )

    return propose
