"""Models from elsewhere as runs of kind `external`, nested in the loop's run."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from mlflow.entities import Metric, Param, RunTag

from progtrain.step_records import ExternalRecord, ExternalScore, external_name
from progtrain.tracking import tags
from progtrain.tracking.card import score_metrics
from progtrain.tracking.session import Session, find_run
from progtrain.workspace import Workspace


@dataclass
class ExternalMirror:
    """Sends models from elsewhere to one open session."""

    session: Session
    workspace: Workspace
    _sent: dict[str, str] = field(default_factory=dict)
    """Name -> fingerprint of the measurement that the store holds, as far as this process knows."""

    def push(self) -> None:
        """Send every measurement that is not there yet; a model without one has no run.

        Raises:
            MlflowException: the store refuses, or is out of reach.
        """
        for name in self.workspace.external_names():
            record = self.workspace.read_record(ExternalRecord, external_name(name))
            if record is not None and record.measured is not None and self._sent.get(name) != record.fingerprint:
                self._send(record, record.measured)
                self._sent[name] = record.fingerprint

    def _send(self, record: ExternalRecord, measured: ExternalScore) -> None:
        client, parent = self.session.client, self.session.parent_run_id
        identity = f"{parent}-{record.name}"
        run = find_run(client, self.session.experiment_id, tags.EXTERNAL, identity)
        ended = int(record.finished_at.timestamp() * 1000)
        if run is None:
            about = {tags.KIND: "external", tags.VERSION: record.name, tags.EXTERNAL: identity, tags.PARENT_RUN: parent}
            owner = tags.owner(self.workspace)
            run = client.create_run(self.session.experiment_id, ended, {**about, **owner}, record.name)
        if run.data.tags.get(tags.FINGERPRINT) != record.fingerprint:
            now = int(time.time() * 1000)
            metrics = [Metric(key, value, now, 0) for key, value in score_metrics(measured.score).items()]
            params = [] if run.data.params else [Param("way", measured.way), Param("threads", str(measured.threads))]
            client.log_batch(run.info.run_id, metrics, params, [RunTag(tags.FINGERPRINT, record.fingerprint)])
        client.set_terminated(run.info.run_id, "FINISHED", ended)
