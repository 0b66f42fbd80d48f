"""Evidence made by hand, and from real small trainings with a fault planted in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch import nn

from progtrain.curves import Curves, Point
from progtrain.diagnosis import Evidence, diagnose
from progtrain.predictions import Predictions
from progtrain.records import (
    Call,
    Comparison,
    Finding,
    Layer,
    LoaderSettings,
    OptimizerSettings,
    SchedulerSettings,
    Snapshot,
    Verdict,
)
from progtrain.step_records import Attempt

FIRST = Comparison(metric="accuracy", difference=None, low=None, high=None, verdict="first")
COSINE = SchedulerSettings(type="CosineAnnealingLR", arguments={"T_max": 20})


@pytest.fixture
def make_snapshot() -> Callable[..., Snapshot]:
    def make(**changes: object) -> Snapshot:
        """A run in which no setting is amiss: AdamW, cosine, normalized, enough steps, a first loss of log(10)."""
        loader = LoaderSettings(size=6400, batch_size=64, shuffle=True, sampler="", workers=0, fingerprint=None)
        whole = Snapshot(
            optimizers=(OptimizerSettings(type="AdamW", groups=({"lr": 1e-3, "weight_decay": 0.01},)),),
            schedulers=(COSINE,),
            max_epochs=20,
            max_steps=-1,
            gradient_clip_val=None,
            gradient_clip_algorithm=None,
            accumulate_grad_batches=1,
            precision="32-true",
            seed=42,
            train=loader,
            valid=None,
            callbacks=(),
            checkpoints=(),
            loggers=(),
            layers=(
                Layer(path="net.0", type="Linear", arguments={"in_features": 40, "out_features": 64}),
                Layer(path="net.1", type="BatchNorm1d", arguments={"num_features": 64}),
                Layer(path="net.2", type="Linear", arguments={"in_features": 64, "out_features": 64}),
                Layer(path="net.3", type="Linear", arguments={"in_features": 64, "out_features": 10}),
            ),
            calls=(Call(function="cross_entropy", arguments={}, shapes=((64, 10), (64,))),),
            parameters=7000,
            first_loss=2.31,
            batch=None,
        )
        return whole.model_copy(update=changes)

    return make


@pytest.fixture
def make_evidence(make_snapshot: Callable[..., Snapshot]) -> Callable[..., Evidence]:
    def make(
        train: Sequence[float] = (),
        valid: Sequence[float] = (),
        score: Sequence[float] = (),
        /,
        *,
        task_type: str = "classification",
        comparison: Comparison = FIRST,
        history: tuple[Attempt, ...] = (),
        predictions: Predictions | None = None,
        inputs: np.ndarray | None = None,
        dead_shares: tuple[float, ...] = (),
        **settings: object,
    ) -> Evidence:
        columns = {"train_loss": train, "val_loss": valid, "val_acc": score}
        curves = Curves({name: _points(values) for name, values in columns.items() if len(values)})
        snapshot = make_snapshot(**settings)
        return Evidence(curves, snapshot, predictions, task_type, comparison, history, inputs, dead_shares)

    return make


def _points(values: Sequence[float]) -> tuple[Point, ...]:
    return tuple(Point(step=(epoch + 1) * 100 - 1, epoch=epoch, value=value) for epoch, value in enumerate(values))


@pytest.fixture
def names() -> Callable[[Evidence], set[str]]:
    return lambda evidence: {finding.name for finding in diagnose(evidence)}


@pytest.fixture
def find() -> Callable[[Evidence, str], Finding | None]:
    return lambda evidence, name: next((f for f in diagnose(evidence) if f.name == name), None)


@pytest.fixture
def make_attempt() -> Callable[..., Attempt]:
    def make(version: str, action: str, verdict: Verdict) -> Attempt:
        return Attempt(
            version=version,
            parent=None if verdict == "first" else "v001",
            action=action,
            parameters={},
            touches=("dropout",),
            verdict=verdict,
            primary=0.5,
            knobs={},
        )

    return make


@pytest.fixture
def trained(make_evidence: Callable[..., Evidence]) -> Callable[..., Evidence]:
    """A perceptron on scikit-learn's digits, trained for real and recorded as Lightning would."""

    def train(optimizer: str, lr: float, epochs: int = 20, size: int = 600, decays: bool = False) -> Evidence:
        torch.manual_seed(0)
        x, y = (torch.tensor(part) for part in load_digits(return_X_y=True))
        x, order = x.float() / 16, torch.randperm(len(x))
        fit, held = order[:size], order[1200:]
        net = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
        steps = getattr(torch.optim, optimizer)(net.parameters(), lr=lr)
        rate = torch.optim.lr_scheduler.CosineAnnealingLR(steps, epochs) if decays else None
        losses: list[float] = []
        checks: list[float] = []
        for _ in range(epochs):
            batches = torch.randperm(size).split(32)
            total = 0.0
            for batch in batches:
                loss = nn.functional.cross_entropy(net(x[fit[batch]]), y[fit[batch]])
                steps.zero_grad()
                loss.backward()
                steps.step()
                total += loss.item() / len(batches)
            if rate is not None:
                rate.step()
            losses.append(total)
            with torch.no_grad():
                outputs = net(x[held])
                checks.append(nn.functional.cross_entropy(outputs, y[held]).item())
        scores = outputs.numpy()
        predictions = Predictions(
            np.array([str(index) for index in held.tolist()]),
            y[held].numpy(),
            scores,
            scores.argmax(axis=1),
            np.zeros(len(held)),
        )
        return make_evidence(losses, checks, predictions=predictions, schedulers=(COSINE,) if decays else ())

    return train
