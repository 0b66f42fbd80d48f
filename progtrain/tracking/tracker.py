"""What the loop tells MLflow; no call waits for MLflow, a background thread does the sending."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from progtrain.errors import TrackingError
from progtrain.executors import Executor
from progtrain.records import Snapshot
from progtrain.rules import Rules
from progtrain.step_records import AuthorRecord, EvaluateRecord
from progtrain.tracking.card import Begun
from progtrain.tracking.ledger import Ledger, RegisteredModel
from progtrain.tracking.store import Store, claim_store
from progtrain.tracking.worker import Kind, Task, Worker
from progtrain.workspace import Workspace

if TYPE_CHECKING:
    from progtrain.tracking.mirrors import Mirrors

Status = Literal["FINISHED", "FAILED"]

CLOSE_SECONDS: dict[Status, float] = {"FINISHED": 60.0, "FAILED": 10.0}
"""How long the end of the loop waits for what is not sent yet."""

_logger = logging.getLogger(__name__)


class Tracker:
    """Keeps MLflow a mirror of the workspace.

    Args:
        workspace: whose records and files are mirrored.
        rules: name the primary metric, and are shown on the parent run.
        executor: runs the jobs that export models.
    """

    def __init__(self, workspace: Workspace, rules: Rules, executor: Executor) -> None:
        self._workspace = workspace
        self._rules = rules
        self._executor = executor
        self._ledger = Ledger(workspace)
        self._begun: dict[str, Begun] = {}
        self._closing: Status | None = None
        self._worker: Worker | None = None
        self._claim: tuple[Store, str] | None = None
        self._mirrors: Mirrors | None = None

    def rank_by(self, rules: Rules) -> None:
        """Take over the rules as Step 0 left them; to be called before `open`."""
        self._rules = rules

    def open(self, dataset_id: str) -> None:
        """Claim the store, and begin sending what it lacks; the store itself is opened in the background.

        Args:
            dataset_id: the prepared data set that all versions share.

        Raises:
            TrackingError: MLFLOW_TRACKING_URI names what can never be a store. One that is only out of reach raises
                nothing: it is tried again.
        """
        if self._worker is not None:
            return
        store = claim_store(self._workspace)
        if any("mlflow" in self._workspace.read_script(version).lower() for version in self._workspace.versions()):
            # The script would make the store too, and two that do so at once get into each other's way.
            from progtrain.tracking.database import make_any_database

            make_any_database(store.uri, self._workspace)
        self._claim = (store, dataset_id)
        self._worker = Worker(self._send)
        self._submit_all()

    def version_started(self, version: str, snapshot: Snapshot, author: AuthorRecord | None) -> None:
        """A training of this version begins; one begun before no longer counts.

        Args:
            version: for instance `v003`.
            snapshot: what is about to be trained.
            author: where the script came from; None for one written by hand.
        """
        tried_before = version in self._begun
        self._begun[version] = Begun(snapshot, author)
        self._ledger.begin_training(version, status_of_former="FAILED" if tried_before else "KILLED")
        self._submit(Task(Kind.VERSION, version))

    def training_progressed(self, version: str) -> None:
        """metrics.csv has grown."""
        self._submit(Task(Kind.VERSION, version))

    def version_finished(self, version: str) -> None:
        """Records or files of this version are new: its run, its registered model and the best so far follow."""
        self._submit_version(version)
        self._submit(Task(Kind.LOOP))

    def version_failed(self, version: str, reason: str) -> None:
        """Training this version was given up, for `reason`."""
        self._ledger.change_version(version, self._ledger.version(version).training, failure=reason)
        self._submit(Task(Kind.VERSION, version))

    def registered(self) -> Mapping[str, RegisteredModel]:
        """Version -> its model in the registry, as far as they are registered."""
        parent = self._ledger.loop().parent_run_id
        return {
            version: state.model
            for version, state in self._ledger.tracked().items()
            if state.model is not None and state.parent_run_id == parent
        }

    def fetch_models(self, versions: Iterable[str]) -> Mapping[str, Path]:
        """Download registered models.

        Returns:
            Version -> local folder of its model, below which lies `data/model.pt2` or `served.py`; a version that is
            not registered, or cannot be fetched now, is left out.
        """
        registered = self.registered()
        folders: dict[str, Path] = {}
        for version in versions:
            if version not in registered or self._mirrors is None:
                continue
            try:
                folders[version] = self._mirrors.registry.fetch(version, registered[version])
            except TrackingError as error:
                _logger.warning("%s", error)
        return folders

    def promote(self, version: str) -> None:
        """Give this version's registered model the alias `champion`, now or as soon as it is registered."""
        self._ledger.change_loop(promoted=version)
        self._submit(Task(Kind.LOOP))

    def report_finished(self, folder: Path) -> None:
        """Show the report in `folder` on the parent run."""
        self._ledger.change_loop(report=self._workspace.relative(folder))
        self._submit(Task(Kind.LOOP))

    def drain(self, seconds: float) -> tuple[str, ...]:
        """Wait until all is sent, or has been tried once more, at most so many seconds.

        Returns:
            What is not sent, in words.
        """
        return self._worker.drain(seconds) if self._worker else ()

    def close(self, status: Status) -> None:
        """End the parent run with this status and stop sending; what is left is sent at the next start."""
        if self._worker is None:
            return
        self._closing = status
        self._submit_all()
        left = self._worker.drain(CLOSE_SECONDS[status])
        self._worker.stop(seconds=5.0)
        self._worker = None
        if left:
            _logger.warning("Not in MLflow yet, to be sent at the next start: %s", "; ".join(left))

    def _submit_all(self) -> None:
        for version in self._workspace.versions():
            self._submit_version(version)
        self._submit(Task(Kind.LOOP))

    def _submit_version(self, version: str) -> None:
        self._submit(Task(Kind.VERSION, version))
        if self._workspace.read_record(EvaluateRecord, "evaluate", version) is not None:
            self._submit(Task(Kind.MODEL, version))

    def _submit(self, task: Task) -> None:
        if self._worker is not None:
            self._worker.submit(task)

    def _send(self, task: Task) -> None:
        """Runs in the worker's thread."""
        if self._mirrors is None:
            self._mirrors = self._open_mirrors()
        if task.kind is Kind.VERSION:
            self._mirrors.versions.push(task.version, self._begun.get(task.version))
            self._mirrors.repeats.push(task.version)
            self._mirrors.probes.push(task.version)
            self._mirrors.range_tests.push(task.version)
        elif task.kind is Kind.MODEL:
            self._mirrors.registry.push(task.version)
            self._submit(Task(Kind.LOOP))
        else:
            self._mirrors.external.push()
            self._mirrors.loop.push()
            self._mirrors.registry.promote()
            if self._closing is not None:
                self._mirrors.loop.close(self._closing)

    def _open_mirrors(self) -> Mirrors:
        # Importing mlflow takes 2 s, which the loop need not wait for.
        from progtrain.tracking.mirrors import open_mirrors

        if self._claim is None:
            raise TrackingError("Expected an open tracker, got one that was never opened. Call open() first.")
        store, dataset_id = self._claim
        return open_mirrors(store, self._workspace, self._rules, self._executor, self._ledger, dataset_id)
