"""Trainings with other seeds as runs nested in the run of their version."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from mlflow.entities import Metric, Param

from progtrain.records import RepeatRecord, repeat_name
from progtrain.tracking import tags
from progtrain.tracking.card import score_metrics
from progtrain.tracking.ledger import Ledger
from progtrain.tracking.session import Session, find_run
from progtrain.workspace import Workspace


@dataclass
class RepeatMirror:
    """Sends repeats to one open session."""

    session: Session
    workspace: Workspace
    ledger: Ledger

    def push(self, version: str) -> None:
        """Send the repeats of a version that are not there yet.

        Raises:
            MlflowException: the store refuses, or is out of reach.
            SupersededError: the version's training was begun anew meanwhile.
        """
        state = self.ledger.version(version)
        if state.run_id is None:
            return
        sent = list(state.repeats)
        for record in self._done(version):
            if record.number not in sent:
                self._send(version, state.training, state.run_id, record)
                sent.append(record.number)
                self.ledger.change_version(version, state.training, repeats=[*sent])

    def _done(self, version: str) -> Iterator[RepeatRecord]:
        number = 1
        while record := self.workspace.read_record(RepeatRecord, repeat_name(number), version):
            yield record
            number += 1

    def _send(self, version: str, training: str, parent: str, record: RepeatRecord) -> None:
        client, experiment = self.session.client, self.session.experiment_id
        identity = f"{training}-{record.number}"
        found = find_run(client, experiment, tags.REPEAT, identity)
        if found is None:
            about = {tags.KIND: "repeat", tags.VERSION: version, tags.REPEAT: identity, tags.PARENT_RUN: parent}
            started = int(record.started_at.timestamp() * 1000)
            name = f"{version} repeat {record.number}"
            found = client.create_run(experiment, started, {**about, **tags.owner(self.workspace)}, name)
        now = int(time.time() * 1000)
        metrics = [Metric(key, value, now, 0) for key, value in score_metrics(record.score).items()]
        client.log_batch(found.info.run_id, metrics, [Param("seed", str(record.seed))])
        client.set_terminated(found.info.run_id, "FINISHED", int(record.finished_at.timestamp() * 1000))
