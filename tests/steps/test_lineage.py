"""Who the next version is made from, where a version answers too slowly, or is as good as another."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from progtrain.loop import opened
from progtrain.records import EvalScore, MetricValue
from progtrain.step_records import AuthorRecord, EvaluateRecord
from progtrain.steps.lineage import higher_is_better, next_parent
from progtrain.workspace import Workspace, sha256_of

MOMENT = datetime(2026, 2, 23, 22, 1, 10, tzinfo=UTC)

Next = Callable[..., str]


def write_version(
    workspace: Workspace, number: int, parent: str | None, accuracy: float, latency_ms: float, loss: float | None = None
) -> None:
    version, source = f"v{number:03d}", f"# {number}\n"
    workspace.script(version).write_text(source)
    author = AuthorRecord(
        version=version,
        parent=parent,
        parent_sha256=None,
        action="widen",
        parameters={},
        touches=("width",),
        script_sha256=sha256_of(source),
        created_at=MOMENT,
    )
    workspace.write_record(author, "author", version)
    score = EvalScore(
        dataset_id="v1",
        created_at=MOMENT,
        num_samples=100,
        metrics=(
            MetricValue(name="accuracy", value=accuracy, higher_is_better=True),
            *([] if loss is None else [MetricValue(name="loss", value=loss, higher_is_better=False)]),
        ),
        latency_ms=latency_ms,
    )
    record = EvaluateRecord(
        started_at=MOMENT, finished_at=MOMENT, script_sha256=sha256_of(source), outputs=(), score=score, seconds=1.0
    )
    workspace.write_record(record, "evaluate", version)


@pytest.fixture
def parent_after(tmp_path: Path) -> Next:
    """`parent_after(continue_from, *latencies)`: the parent of the next version; each version is better than before."""

    def decide(continue_from: str, *latencies: float) -> str:
        rules = {
            "loop_config": {"continue_from": continue_from},
            "eval_config": {"primary_metric": "accuracy"},
            "constraints": {"max_latency_ms": 5},
        }
        (tmp_path / "user_defined_rules.json").write_text(json.dumps(rules))
        workspace = Workspace(tmp_path)
        for number, latency in enumerate(latencies, start=1):
            parent = f"v{number - 1:03d}" if number > 1 else None
            write_version(workspace, number, parent, number / 10, latency)
        newest = f"v{len(latencies):03d}"
        with opened(tmp_path) as context:
            return next_parent(context, newest)

    return decide


@pytest.mark.parametrize(
    ("continue_from", "latencies", "parent"),
    [
        ("latest", (1, 1, 1), "v003"),
        ("latest", (1, 1, 9), "v002"),
        ("latest", (1, 9, 9), "v001"),
        ("latest", (9, 9, 9), "v001"),
        ("best", (1, 1, 9), "v002"),
        ("best", (1, 9, 1), "v003"),
    ],
)
def test_nothing_is_built_on_what_is_too_slow(
    parent_after: Next, continue_from: str, latencies: tuple[float, ...], parent: str
) -> None:
    assert parent_after(continue_from, *latencies) == parent


@pytest.mark.parametrize(
    ("accuracies", "losses", "parent"),
    [
        ((0.9, 0.9, 0.9), (0.4, 0.3, 0.5), "v002"),
        ((0.9, 0.9, 0.9), (0.3, 0.3, 0.3), "v003"),
        ((0.9, 0.88, 0.7), (0.4, 0.3, 0.1), "v002"),
        ((0.9, 0.86, 0.7), (0.4, 0.3, 0.1), "v001"),
        ((0.9, 0.9, 0.8), (None, None, None), "v002"),
    ],
    ids=["the better loss", "the newest", "within a standard error, 0.03", "beyond it", "no loss is known"],
)
def test_of_what_the_primary_metric_cannot_tell_apart_the_best_loss_goes_on(
    tmp_path: Path, accuracies: tuple[float, ...], losses: tuple[float | None, ...], parent: str
) -> None:
    rules = {"loop_config": {"continue_from": "best"}, "eval_config": {"primary_metric": "accuracy"}}
    (tmp_path / "user_defined_rules.json").write_text(json.dumps(rules))
    for number, (accuracy, loss) in enumerate(zip(accuracies, losses, strict=True), start=1):
        write_version(Workspace(tmp_path), number, None, accuracy, 1.0, loss)
    with opened(tmp_path) as context:
        assert next_parent(context, "v003") == parent


def test_the_direction_is_that_of_the_metric_as_it_was_measured(tmp_path: Path) -> None:
    (tmp_path / "user_defined_rules.json").write_text(json.dumps({"eval_config": {"primary_metric": "loss"}}))
    workspace = Workspace(tmp_path)
    write_version(workspace, 1, None, 0.5, 1.0)
    record = workspace.read_record(EvaluateRecord, "evaluate", "v001")
    assert record is not None
    with opened(tmp_path) as context:
        assert higher_is_better(context, "v001"), "it was not measured by it"
        loss = MetricValue(name="loss", value=0.5, higher_is_better=False)
        score = record.score.model_copy(update={"metrics": (loss,)})
        workspace.write_record(record.model_copy(update={"score": score}), "evaluate", "v001")
        assert not higher_is_better(context, "v001")
