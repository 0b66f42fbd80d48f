"""What MLflow is to say about one version, worked out from the records on disk."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import JsonValue, ValidationError

from progtrain.curves import Curves, latest_metrics_csv, read_curves
from progtrain.errors import shortened
from progtrain.records import EvalScore, Snapshot
from progtrain.rules import Rules
from progtrain.script.settings.knob_values import knob_values
from progtrain.serving import RECORD, ServingExample
from progtrain.step_records import (
    AGREEMENT,
    AgreementRecord,
    AnalyzeRecord,
    AuthorRecord,
    EvaluateRecord,
    LoopRecord,
    TrainRecord,
)
from progtrain.tasks import task_of
from progtrain.tracking import tags
from progtrain.tracking.ledger import VersionTracking
from progtrain.workspace import Workspace

MAX_PARAM = 5900
"""Characters of a parameter's value; MLflow refuses longer ones."""
LARGEST = 1.7976931348623157e308
"""What MLflow stores for infinity."""
_REFUSED = re.compile(r"[^\w./ :-]")


@dataclass(frozen=True)
class DatasetFacts:
    """The prepared data that a version was trained and measured on; `digest` follows the validation samples."""

    name: str
    digest: str
    path: str
    num_train: int | None
    num_valid: int | None


@dataclass(frozen=True)
class VersionCard:
    """One version's run, apart from curves and files; `step` is where the evaluation stands on the curves' axis."""

    name: str
    params: Mapping[str, str]
    tags: Mapping[str, str]
    metrics: Mapping[str, float]
    step: int
    dataset: DatasetFacts | None
    status: Literal["RUNNING", "FINISHED", "FAILED"]
    started_ms: int | None
    ended_ms: int | None

    def digest(self) -> str:
        """Changes when, and only when, something is to be sent."""
        return hashlib.sha256(repr(self).encode()).hexdigest()


@dataclass(frozen=True)
class Begun:
    """What is known of a training before any record of it is written."""

    snapshot: Snapshot
    author: AuthorRecord | None


def describe_version(
    workspace: Workspace, version: str, dataset_id: str, state: VersionTracking, begun: Begun | None
) -> VersionCard:
    """Everything about a version that MLflow keeps as parameters, tags and metrics."""
    trained = workspace.read_record(TrainRecord, "train", version)
    evaluated = workspace.read_record(EvaluateRecord, "evaluate", version)
    score = measured(workspace, version)
    author = begun.author if begun else workspace.read_record(AuthorRecord, "author", version)
    snapshot = begun.snapshot if begun else trained.snapshot if trained else None
    curves = version_curves(workspace, version)
    ended = evaluated or trained
    return VersionCard(
        name=f"{version} {author.action}" if author else version,
        params={**(_params(snapshot) if snapshot else {}), **_latency_params(workspace, version)},
        tags=_tags(workspace, version, state, author),
        metrics={**(score_metrics(score) if score else {}), **_comparison_metrics(workspace, version)},
        step=max((points[-1].step for points in curves.columns.values() if points), default=0),
        dataset=_dataset(workspace, dataset_id, snapshot) if snapshot else None,
        status="FAILED" if state.failure is not None else "FINISHED" if evaluated else "RUNNING",
        started_ms=_milliseconds(trained.started_at) if trained else None,
        ended_ms=_milliseconds(ended.finished_at) if ended else None,
    )


def version_curves(workspace: Workspace, version: str) -> Curves:
    """The curves of a version as far as they are written; without columns where there are none."""
    path = latest_metrics_csv(workspace.artifacts(version))
    return read_curves(path) if path is not None else Curves({})


def measured(workspace: Workspace, version: str) -> EvalScore | None:
    """eval_score.json as it stands, once the version's evaluation is done: the final report measures once more."""
    evaluated = workspace.read_record(EvaluateRecord, "evaluate", version)
    if evaluated is None:
        return None
    try:
        return EvalScore.model_validate_json((workspace.artifacts(version) / "eval_score.json").read_bytes())
    except (OSError, ValidationError):
        return evaluated.score


def metric_key(name: str) -> str:
    """A metric's name in the characters that MLflow takes: `mAP@50` -> `mAP_50`."""
    return _REFUSED.sub("_", name)


def curve_keys(columns: Iterable[str], rules: Rules) -> dict[str, str]:
    """Column -> MLflow key, kept apart from evaluation metrics of the same name by the prefix `train_log/`."""
    measured = {metric_key(rule.name) for rule in rules.eval_config.metric_rules}
    measured |= {metric_key(rules.eval_config.primary), "loss", "latency_ms"}
    keys = {column: metric_key(column) for column in columns}
    return {column: f"train_log/{key}" if key in measured else key for column, key in keys.items()}


def score_metrics(score: EvalScore) -> dict[str, float]:
    """An evaluation's values by MLflow key: a second one of a name becomes `name__2`, a missing one is left out."""
    metrics = {"latency_ms": score.latency_ms}
    for metric in score.metrics:
        key, count = metric_key(metric.name), 1
        while key in metrics:
            count += 1
            key = f"{metric_key(metric.name)}__{count}"
        if metric.value is not None:
            metrics[key] = max(-LARGEST, min(LARGEST, metric.value)) if not math.isnan(metric.value) else math.nan
    return metrics


def _comparison_metrics(workspace: Workspace, version: str) -> dict[str, float]:
    """The difference from the parent, positive where better, with its interval and probability, as far as known."""
    analyzed = workspace.read_record(AnalyzeRecord, "analyze", version)
    if analyzed is None:
        return {}
    found = analyzed.comparison
    named = {"difference": found.difference, "low": found.low, "high": found.high, "probability": found.probability}
    return {f"improvement/{name}": value for name, value in named.items() if value is not None}


def as_param(value: JsonValue) -> str:
    """A value as MLflow keeps parameters: text, at most 6,000 characters."""
    return shortened(value if isinstance(value, str) else json.dumps(value), MAX_PARAM)


def _latency_params(workspace: Workspace, version: str) -> dict[str, str]:
    """What a latency means nothing without."""
    example = workspace.read_record(ServingExample, RECORD, version)
    return {} if example is None else {"latency_threads": str(example.threads), "latency_device": example.device}


def _params(snapshot: Snapshot) -> dict[str, str]:
    return {
        **{knob: as_param(value) for knob, value in knob_values(snapshot).items()},
        "parameters": str(snapshot.parameters),
    }


def _tags(workspace: Workspace, version: str, state: VersionTracking, author: AuthorRecord | None) -> dict[str, str]:
    found = {
        tags.KIND: "version",
        tags.VERSION: version,
        "mlflow.source.name": workspace.script(version).name,
        "mlflow.source.type": "LOCAL",
    }
    if author is not None:
        found[tags.ACTION] = author.action
        found[tags.PARENT_VERSION] = author.parent or "none"
        if author.answers is not None:
            found[tags.FINDING] = author.answers
    loop = workspace.read_record(LoopRecord, "loop")
    if loop is not None:
        found[tags.TASK] = task_of(loop.task_type)
    analyzed = workspace.read_record(AnalyzeRecord, "analyze", version)
    if analyzed is not None:
        found[tags.VERDICT] = analyzed.comparison.verdict
    agreement = workspace.read_record(AgreementRecord, AGREEMENT, version)
    if agreement is not None:
        known = "agrees" if agreement.compared else f"not known: {agreement.reason}"
        found[tags.AGREEMENT] = tags.cut(agreement.disagreement or known)
    if state.failure is not None:
        found[tags.FAILURE] = tags.cut(state.failure)
    analysis = workspace.artifacts(version) / "result-analysis.md"
    if analysis.is_file():
        found[tags.NOTE] = tags.cut(analysis.read_text(encoding="utf-8"))
    return found


def _dataset(workspace: Workspace, dataset_id: str, snapshot: Snapshot) -> DatasetFacts:
    fingerprint = snapshot.valid.fingerprint if snapshot.valid else None
    return DatasetFacts(
        name=dataset_id,
        digest=(fingerprint or "unknown")[:32],
        path=workspace.relative(workspace.prepdata(dataset_id)),
        num_train=snapshot.train.size if snapshot.train else None,
        num_valid=snapshot.valid.size if snapshot.valid else None,
    )


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
