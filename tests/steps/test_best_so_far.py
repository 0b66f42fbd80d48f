"""Which version is the best so far, beyond noise: analyzed from real answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from progtrain.loop import opened
from progtrain.predictions import FILE_NAME, Predictions
from progtrain.records import EvalScore, MetricValue, Snapshot
from progtrain.step_records import AnalyzeRecord, AuthorRecord, CaptureRecord, EvaluateRecord, LoopRecord
from progtrain.steps.analyze import analyze
from progtrain.workspace import Workspace, now, version_id

SAMPLES = 400
SNAPSHOT = Snapshot(
    optimizers=(),
    schedulers=(),
    max_epochs=1,
    max_steps=-1,
    gradient_clip_val=None,
    gradient_clip_algorithm=None,
    accumulate_grad_batches=1,
    precision="32-true",
    seed=42,
    train=None,
    valid=None,
    callbacks=(),
    checkpoints=(),
    loggers=(),
    layers=(),
    calls=(),
    parameters=2,
    first_loss=1.0,
    batch=None,
)


def measured(workspace: Workspace, version: str, parent: str | None, right: int, latency_ms: float) -> None:
    """A version that answers its first `right` samples right."""
    workspace.script(version).write_text(f"# {version}\n")
    sha = workspace.script_sha256(version)
    workspace.write_record(CaptureRecord(script_sha256=sha, snapshot=SNAPSHOT), "capture", version)
    author = AuthorRecord(
        version=version,
        parent=parent,
        parent_sha256=None,
        action="widen",
        parameters={},
        touches=(),
        script_sha256=sha,
        created_at=now(),
    )
    workspace.write_record(author, "author", version)
    targets = np.zeros(SAMPLES, dtype=np.int64)
    answers = np.where(np.arange(SAMPLES) < right, 0, 1)
    ids = np.array([f"s{number}" for number in range(SAMPLES)])
    workspace.artifacts(version).mkdir(parents=True)
    answered = Predictions(ids, targets, np.eye(2)[answers], answers, np.ones(SAMPLES))
    answered.write(workspace.artifacts(version) / FILE_NAME)
    metrics = (MetricValue(name="accuracy", value=right / SAMPLES, higher_is_better=True),)
    score = EvalScore(dataset_id="v1", created_at=now(), num_samples=SAMPLES, metrics=metrics, latency_ms=latency_ms)
    done = {"started_at": now(), "finished_at": now(), "script_sha256": sha}
    workspace.write_record(EvaluateRecord(**done, score=score, seconds=1.0), "evaluate", version)


@pytest.fixture
def best_after(tmp_path: Path) -> Callable[..., list[str | None]]:
    """`best_after((right, latency), …)`: the best so far after each version; each is made from the one before."""

    def run(*versions: tuple[int, float]) -> list[str | None]:
        rules = {"eval_config": {"primary_metric": "accuracy"}, "constraints": {"max_latency_ms": 5}}
        (tmp_path / "user_defined_rules.json").write_text(json.dumps(rules))
        (tmp_path / "dataset" / "prepdata" / "v1").mkdir(parents=True)
        workspace = Workspace(tmp_path)
        loop = LoopRecord(
            dataset_id="v1",
            task_type="classification",
            num_train=1,
            num_valid=SAMPLES,
            patched=False,
            started_at=now(),
        )
        workspace.write_record(loop, "loop")
        found: list[str | None] = []
        with opened(tmp_path) as context:
            for number, (right, latency_ms) in enumerate(versions, start=1):
                version = version_id(number)
                measured(workspace, version, version_id(number - 1) if number > 1 else None, right, latency_ms)
                analyze(context, version)
                record = workspace.read_record(AnalyzeRecord, "analyze", version)
                assert record is not None
                found.append(record.best_so_far)
        return found

    return run


def test_small_steps_count_once_they_leave_the_noise_together(best_after: Callable[..., list[str | None]]) -> None:
    assert best_after((200, 1.0), (203, 1.0), (206, 1.0)) == ["v001", "v001", "v003"]


def test_neither_ground_won_back_nor_a_slow_version_is_the_best(best_after: Callable[..., list[str | None]]) -> None:
    found = best_after((200, 1.0), (100, 1.0), (200, 1.0), (300, 9.0))
    assert found == ["v001", "v001", "v001", "v001"]
