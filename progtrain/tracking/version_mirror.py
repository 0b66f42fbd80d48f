"""Bringing one version's run in MLflow up to what is on disk; doing it twice sends nothing twice."""

from __future__ import annotations

import json
import math
import time
from dataclasses import dataclass, field

from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag

from progtrain.rules import Rules
from progtrain.script.editing.versioning import unified_diff
from progtrain.step_records import AuthorRecord, TrainRecord
from progtrain.tracking import tags
from progtrain.tracking.card import Begun, DatasetFacts, VersionCard, curve_keys, describe_version, version_curves
from progtrain.tracking.files import FileSet, folder_files, push_files
from progtrain.tracking.ledger import Ledger, VersionTracking
from progtrain.tracking.session import Session, active_run, find_run
from progtrain.workspace import Workspace

MAX_BATCH = 1000
"""Metrics a call, MLflow's own limit."""


@dataclass
class VersionMirror:
    """Sends versions to one open session."""

    session: Session
    workspace: Workspace
    rules: Rules
    ledger: Ledger
    dataset_id: str
    _in_store: dict[str, dict[str, int]] = field(default_factory=dict)
    """Run id -> metric -> points that the store holds; asked of the store where it is not known."""

    def push(self, version: str, begun: Begun | None) -> None:
        """Send what is missing.

        Args:
            version: for instance `v003`.
            begun: of a training of which nothing is on disk yet.

        Raises:
            MlflowException: the store refuses, or is out of reach.
            SupersededError: the version's training was begun anew meanwhile.
        """
        if begun is None and self.workspace.read_record(TrainRecord, "train", version) is None:
            return
        self._close_superseded(version)
        state = self.ledger.version(version)
        if state.parent_run_id != self.session.parent_run_id:
            state = self._forget_sent(version, state)
        card = describe_version(self.workspace, version, self.dataset_id, state, begun)
        files = self._files(version, state)
        points = sum(map(len, version_curves(self.workspace, version).columns.values()))
        if state.run_id and card.digest() == state.card and points == state.points and files.stamps() == state.files:
            return
        state = self._with_run(version, state, card)
        self._push_curves(version, state)
        self._push_card(version, state, card)
        self._push_files(version, state, files)

    def _close_superseded(self, version: str) -> None:
        state = self.ledger.version(version)
        if not state.superseded:
            return
        client = self.session.client
        for closed in state.superseded:
            run = find_run(client, self.session.experiment_id, tags.TRAINING, closed.training)
            if run is not None:
                client.set_tag(run.info.run_id, tags.KIND, "attempt")
                client.set_terminated(run.info.run_id, closed.status)
                client.update_run(run.info.run_id, name=f"{version} (attempt, {closed.status.lower()})")
        self.ledger.change_version(version, state.training, superseded=[])

    def _forget_sent(self, version: str, state: VersionTracking) -> VersionTracking:
        return self.ledger.change_version(
            version,
            state.training,
            parent_run_id=self.session.parent_run_id,
            run_id=None,
            card=None,
            points=0,
            files={},
            model=None,
            repeats=[],
            probes=[],
            range_tested=False,
        )

    def _with_run(self, version: str, state: VersionTracking, card: VersionCard) -> VersionTracking:
        client, experiment_id = self.session.client, self.session.experiment_id
        if state.run_id is not None:
            if active_run(client, state.run_id) is not None:
                return state
            state = self._forget_sent(version, state)
        run = find_run(client, experiment_id, tags.TRAINING, state.training)
        if run is None:
            identity = {tags.TRAINING: state.training, tags.PARENT_RUN: self.session.parent_run_id}
            owner = tags.owner(self.workspace)
            run = client.create_run(experiment_id, card.started_ms, {**card.tags, **identity, **owner}, card.name)
            self._in_store[run.info.run_id] = {}
        return self.ledger.change_version(version, state.training, run_id=run.info.run_id)

    def _push_curves(self, version: str, state: VersionTracking) -> None:
        columns = version_curves(self.workspace, version).columns
        points = sum(map(len, columns.values()))
        if state.run_id is None or points == state.points:
            return
        client, run_id = self.session.client, state.run_id
        keys = curve_keys(columns, self.rules)
        counts = self._in_store.pop(run_id, None)
        if counts is None:
            counts = {key: len(client.get_metric_history(run_id, key)) for key in keys.values()}
        now = int(time.time() * 1000)
        metrics = [
            Metric(keys[column], point.value, now, point.step)
            for column, found in columns.items()
            for point in found[counts.get(keys[column], 0) :]
        ]
        for start in range(0, len(metrics), MAX_BATCH):
            client.log_batch(run_id, metrics[start : start + MAX_BATCH])
        self._in_store[run_id] = {keys[column]: len(found) for column, found in columns.items()}
        self.ledger.change_version(version, state.training, points=points)

    def _push_card(self, version: str, state: VersionTracking, card: VersionCard) -> None:
        if state.run_id is None or state.card == card.digest():
            return
        client = self.session.client
        run = client.get_run(state.run_id)
        now = int(time.time() * 1000)
        metrics = [
            Metric(name, value, now, card.step)
            for name, value in card.metrics.items()
            if not _same(run.data.metrics.get(name), value)
        ]
        params = [Param(name, value) for name, value in card.params.items() if name not in run.data.params]
        client.log_batch(state.run_id, metrics, params, [RunTag(name, value) for name, value in card.tags.items()])
        if card.dataset is not None and not (run.inputs and run.inputs.dataset_inputs):
            client.log_inputs(state.run_id, [_dataset_input(card.dataset)])
        if card.status != "RUNNING":
            client.set_terminated(state.run_id, card.status, card.ended_ms)
        self.ledger.change_version(version, state.training, card=card.digest())

    def _push_files(self, version: str, state: VersionTracking, files: FileSet) -> None:
        if state.run_id is None:
            return

        def note(sent: dict[str, str]) -> None:
            self.ledger.change_version(version, state.training, files=dict(sent))

        push_files(self.session.client, state.run_id, files, state.files, note)

    def _files(self, version: str, state: VersionTracking) -> FileSet:
        """The version's folder, its script, and its logs; only the script while it is being trained."""
        script = self.workspace.script(version)
        files = {f"code/{script.name}": script} if script.is_file() else {}  # of a withdrawn change there is none
        if state.failure is not None or self.workspace.read_record(TrainRecord, "train", version) is not None:
            files |= folder_files(self.workspace.artifacts(version))
            logs = self.workspace.version_state(version).glob("*.log")
            files |= {f"console/{path.name}": path for path in sorted(logs)}
        author = self.workspace.read_record(AuthorRecord, "author", version)
        if author is None or author.parent is None:
            return FileSet(files, {})
        if not (script.is_file() and self.workspace.script(author.parent).is_file()):
            return FileSet(files, {})
        before, after = (self.workspace.read_script(name) for name in (author.parent, version))
        diff = unified_diff(before, after, author.parent, version)
        return FileSet(files, {f"code/diff_{author.parent}_{version}.txt": diff})


def _same(stored: float | None, value: float) -> bool:
    return stored is not None and (stored == value or (math.isnan(stored) and math.isnan(value)))


def _dataset_input(facts: DatasetFacts) -> DatasetInput:
    dataset = Dataset(
        name=facts.name,
        digest=facts.digest,
        source_type="local",
        source=json.dumps({"uri": facts.path}),
        profile=json.dumps({"num_train": facts.num_train, "num_valid": facts.num_valid}),
    )
    return DatasetInput(dataset, [InputTag("mlflow.data.context", "training and validation")])
