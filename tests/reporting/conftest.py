from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import pytest

from progtrain.curves import Curves, Point
from progtrain.predictions import Predictions
from progtrain.records import Comparison, EvalScore, Finding, MetricValue
from progtrain.reporting.analysis import Analysis, Measured
from progtrain.step_records import AnalyzeRecord, AuthorRecord, EvaluateRecord
from progtrain.workspace import Workspace

MOMENT = datetime(2026, 2, 23, 22, 1, 10, tzinfo=UTC)


@pytest.fixture
def make_score() -> Callable[..., EvalScore]:
    def make(*metrics: tuple[str, float | None, bool], latency_ms: float = 0.5) -> EvalScore:
        values = tuple(MetricValue(name=n, value=v, higher_is_better=h) for n, v, h in metrics)
        return EvalScore(dataset_id="v1", created_at=MOMENT, num_samples=100, metrics=values, latency_ms=latency_ms)

    return make


@pytest.fixture
def make_answers() -> Callable[..., Predictions]:
    def make(right: int, count: int = 100, classes: int = 4) -> Predictions:
        """The first `right` samples are answered right, the others taken for the next class."""
        targets = np.arange(count) % classes
        answers = np.where(np.arange(count) < right, targets, (targets + 1) % classes)
        outputs = np.eye(classes)[answers]
        return Predictions(
            np.array([f"s{i}" for i in range(count)]), targets, outputs, answers, np.where(answers == targets, 0.1, 2.0)
        )

    return make


@pytest.fixture
def settling() -> Curves:
    def points(offset: float) -> tuple[Point, ...]:
        return tuple(Point(50 * (e + 1) - 1, e, 2.2 * math.exp(-e / 3) + offset) for e in range(20))

    score = tuple(Point(p.step, p.epoch, 1 - p.value / 2.5) for p in points(0.2))
    return Curves({"train_loss": points(0.1), "val_loss": points(0.2), "val_acc": score})


@pytest.fixture
def analysis(make_score, make_answers, settling) -> Analysis:
    before = make_score(("accuracy", 0.55, True), ("loss", 1.2, False), latency_ms=0.5)
    now = make_score(("accuracy", 0.8, True), ("loss", 1.3, False), latency_ms=0.8)
    finding = Finding(name="constant-rate", numbers={}, severity=0.5, message="The learning rate stays constant.")
    return Analysis(
        now=Measured("v002", now, make_answers(80)),
        parent=Measured("v001", before, make_answers(55)),
        change="SGD gives way to AdamW",
        task_type="classification",
        primary="accuracy",
        comparison=Comparison(metric="accuracy", difference=0.25, low=0.16, high=0.34, verdict="improved"),
        curves=settling,
        findings=(finding,),
        sample_ids=("s3", "s60", "s90"),
    )


@pytest.fixture
def finished(tmp_path, make_score, settling) -> Workspace:
    """A workspace in which a loop of four versions has ended: adamw helped, widen hurt, take_back took it back."""
    workspace = Workspace(tmp_path)
    (tmp_path / "user_defined_rules.json").write_text(
        '{"dataset_config": {"dataset_id": "v1"}, "eval_config": {"primary_metric": "accuracy", "infer_samples": 3}}'
    )
    (tmp_path / "user_instruction.md").write_text("- keep the answer time short\n")
    story = (
        ("v001", None, "baseline", 0.25, "first", None),
        ("v002", "v001", "adamw", 0.62, "improved", 0.37),
        ("v003", "v002", "widen", 0.55, "regressed", -0.07),
        ("v004", "v003", "take_back", 0.62, "improved", 0.07),
    )
    for version, parent, action, accuracy, verdict, difference in story:
        workspace.script(version).write_text(f'# progtrain {parent} -> {version}\n# {action}\nVERSION = "{version}"\n')
        home = workspace.artifacts(version)
        (home / "additional_assets").mkdir(parents=True)
        (home / "additional_assets" / "label_map.json").write_text("{}")
        for name in ("best.ckpt", "last.ckpt", "spec.json"):
            (home / name).write_text(f"{version} {name}")
        score = make_score(("accuracy", accuracy, True), ("loss", 2 - accuracy, False))
        (home / "eval_score.json").write_text(score.model_dump_json())
        (home / "action-extract.md").write_text(f"## Selected Action (only 1)\n- **Change**: what follows {version}\n")
        (home / "result-analysis.md").write_text(f"## Summary\n\nAll about {version}.\n\n## Next\n")
        _record(workspace, version, parent, action, score, verdict, difference)
    return workspace


def _record(workspace, version, parent, action, score, verdict, difference) -> None:
    sha = workspace.script_sha256(version)
    author = AuthorRecord(
        version=version,
        parent=parent,
        parent_sha256=None,
        action=action,
        parameters={},
        touches=(),
        script_sha256=sha,
        created_at=MOMENT,
    )
    done = {"started_at": MOMENT, "finished_at": MOMENT, "script_sha256": sha}
    low, high = (None, None) if difference is None else (difference - 0.05, difference + 0.05)
    comparison = Comparison(metric="accuracy", difference=difference, low=low, high=high, verdict=verdict)
    workspace.write_record(author, "author", version)
    workspace.write_record(EvaluateRecord(score=score, seconds=1.0, **done), "evaluate", version)
    workspace.write_record(AnalyzeRecord(comparison=comparison, findings=(), **done), "analyze", version)
