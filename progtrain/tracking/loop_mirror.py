"""Bringing the parent run up to what is on disk: best so far by version, rules, scripts, and the report."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from mlflow.entities import Metric, Param, RunTag

from progtrain.records import MetricValue
from progtrain.rules import INSTRUCTION_FILE, RULES_FILE, Rules
from progtrain.tracking import tags
from progtrain.tracking.card import as_param, measured, metric_key
from progtrain.tracking.files import FileSet, folder_files, push_files
from progtrain.tracking.ledger import Ledger, LoopTracking
from progtrain.tracking.session import Session
from progtrain.workspace import Workspace, version_number


@dataclass
class LoopMirror:
    """Sends what belongs to the loop as a whole to one open session."""

    session: Session
    workspace: Workspace
    rules: Rules
    ledger: Ledger
    dataset_id: str
    _in_store: dict[str, dict[int, float]] = field(default_factory=dict)
    """Metric -> version number -> value that the store holds; asked of the store where it is not known."""

    def push(self) -> None:
        """Send what is missing.

        Raises:
            MlflowException: the store refuses, or is out of reach.
        """
        state = self.ledger.loop()
        self._push_params(state)
        for key, values in self._progress().items():
            self._push_progress(key, values)
        sent = state.files
        push_files(
            self.session.client,
            self.session.parent_run_id,
            self._files(state),
            sent,
            lambda stamps: self.ledger.change_loop(files=dict(stamps)),
        )

    def close(self, status: str) -> None:
        """Set the run's status; `mlflow run` overwrites that of its own run by the exit code."""
        self.session.client.set_terminated(self.session.parent_run_id, status)

    def _push_params(self, state: LoopTracking) -> None:
        client, run_id = self.session.client, self.session.parent_run_id
        there = client.get_run(run_id).data.params
        wanted = self._params()
        note = self._note(state)
        missing = [Param(name, value) for name, value in wanted.items() if name not in there]
        if missing or note:
            client.log_batch(run_id, params=missing, tags=[RunTag(tags.NOTE, note)] if note else ())

    def _params(self) -> dict[str, str]:
        config = self.rules.loop_config
        return {
            "progtrain.dataset_id": self.dataset_id,
            "progtrain.max_versions": str(config.max_versions),
            "progtrain.continue_from": config.continue_from,
            "progtrain.seed": str(self.rules.seed),
            "progtrain.primary_metric": self.rules.eval_config.primary,
            "progtrain.training_config": as_param(self.rules.training_config),
        }

    def _note(self, state: LoopTracking) -> str | None:
        if state.report is None:
            return None
        analysis = self.workspace.root / state.report / "final-analysis.md"
        return tags.cut(analysis.read_text(encoding="utf-8")) if analysis.is_file() else None

    def _progress(self) -> dict[str, dict[int, float]]:
        """The primary metric, and the best of it so far, by version number."""
        primary = metric_key(self.rules.eval_config.primary)
        values: dict[int, float] = {}
        best_values: dict[int, float] = {}
        best: MetricValue | None = None
        for number, metric in self._measured():
            if best is None or metric.better_than(best):
                best = metric
            if metric.value is not None:
                values[number] = metric.value
            if best.value is not None:
                best_values[number] = best.value
        return {primary: values, f"best_{primary}": best_values}

    def _measured(self) -> Iterator[tuple[int, MetricValue]]:
        for version in self.workspace.versions():
            score = measured(self.workspace, version)
            metric = score.metric(self.rules.eval_config.primary) if score else None
            if metric is not None:
                yield version_number(version), metric

    def _push_progress(self, key: str, values: dict[int, float]) -> None:
        client, run_id = self.session.client, self.session.parent_run_id
        there = self._in_store.pop(key, None)
        if there is None:
            history = client.get_metric_history(run_id, key)
            there = {metric.step: metric.value for metric in sorted(history, key=lambda metric: metric.timestamp)}
        now = int(time.time() * 1000)
        missing = [Metric(key, value, now, step) for step, value in values.items() if there.get(step) != value]
        if missing:
            client.log_batch(run_id, missing)
        self._in_store[key] = values

    def _files(self, state: LoopTracking) -> FileSet:
        root = self.workspace.root
        top = (root / RULES_FILE, root / INSTRUCTION_FILE, self.workspace.eval_script, self.workspace.report_script)
        files = {path.name: path for path in top if path.is_file()}
        if state.report is not None:
            folder = root / state.report
            files |= folder_files(folder, f"report/{folder.name}/")
        return FileSet(files, {})
