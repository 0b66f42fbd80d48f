"""Runs nested in the run of a version: trainings beside it that are no versions, each sent once and whole."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from mlflow.entities import Metric, Param

from progtrain.records import EvalScore
from progtrain.tracking import tags
from progtrain.tracking.card import score_metrics
from progtrain.tracking.session import Session, find_run
from progtrain.workspace import Workspace


@dataclass(frozen=True)
class NestedRun:
    """What such a run is to say.

    Args:
        name: for people.
        parent: id of the version's run.
        identity: tag and value by which it is found again, where its id never reached us.
        about: further tags.
        params: settings that it was trained with.
        score: None where it has none.
        started_at: of the training.
        finished_at: of the measuring.
        curves: name -> what else was measured, step by step.
        succeeded: whether it came to what it was run for; None where that is a score.
    """

    name: str
    parent: str
    identity: tuple[str, str]
    about: Mapping[str, str]
    params: Mapping[str, str]
    score: EvalScore | None
    started_at: datetime
    finished_at: datetime
    curves: Mapping[str, Sequence[float]] = field(default_factory=dict)
    succeeded: bool | None = None

    @property
    def status(self) -> Literal["FINISHED", "FAILED"]:
        """Whether it came to what it was run for."""
        succeeded = self.score is not None if self.succeeded is None else self.succeeded
        return "FINISHED" if succeeded else "FAILED"


def send_nested(session: Session, workspace: Workspace, run: NestedRun) -> None:
    """Send it; a run of that identity that is there already is completed.

    Raises:
        MlflowException: the store refuses, or is out of reach.
    """
    client, (tag, value) = session.client, run.identity
    found = find_run(client, session.experiment_id, tag, value)
    if found is None:
        about = {**run.about, tag: value, tags.PARENT_RUN: run.parent, **tags.owner(workspace)}
        started = int(run.started_at.timestamp() * 1000)
        found = client.create_run(session.experiment_id, started, about, run.name)
    now = int(time.time() * 1000)
    measured = {} if run.score is None else score_metrics(run.score)
    metrics = [Metric(key, number, now, 0) for key, number in measured.items()]
    metrics += [Metric(key, number, now, step) for key, each in run.curves.items() for step, number in enumerate(each)]
    params = [Param(name, text) for name, text in run.params.items()]
    client.log_batch(found.info.run_id, metrics, params)
    client.set_terminated(found.info.run_id, run.status, int(run.finished_at.timestamp() * 1000))
