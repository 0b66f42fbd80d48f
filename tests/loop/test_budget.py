"""Where a loop ends before `max_versions`: patience, and the budget of time."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from progtrain.ending import time_spent, why_ended
from progtrain.records import Comparison, EvalScore, Memory, Proposal
from progtrain.rules import LoopConfig, Rules
from progtrain.step_records import AnalyzeRecord, ChooseRecord, RepeatRecord, WithdrawnRecord, withdrawn_name
from progtrain.workspace import Workspace, version_id

from .conftest import Run, write_rules

MOMENT = datetime(2026, 2, 23, 22, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def analyzed(tmp_path: Path, accept: ChooseRecord) -> Callable[..., Workspace]:
    """`analyzed("v001", "v002", …)`: a workspace of versions with their best so far; each took four minutes."""

    def make(*best_so_far: str) -> Workspace:
        workspace = Workspace(tmp_path)
        for number, best in enumerate(best_so_far, start=1):
            version = version_id(number)
            workspace.script(version).write_text(f"# {version}\n")
            comparison = Comparison(metric="loss", difference=0.1, low=-1, high=1, verdict="within noise")
            whole = {"started_at": MOMENT, "finished_at": MOMENT + 3 * MINUTE, "script_sha256": "", "outputs": ()}
            record = AnalyzeRecord(**whole, comparison=comparison, findings=(), best_so_far=best)
            workspace.write_record(record, "analyze", version)
            workspace.write_record(accept, "choose", version)
        return workspace

    return make


@pytest.fixture
def accept() -> ChooseRecord:
    selected = Proposal(
        action="widen",
        family="capacity",
        answers="underfitting",
        parameters={},
        touches=("width",),
        goal="",
        change="",
        where="",
        expected_impact="",
        risk="low",
        verification="",
        probability=0.5,
        gain=0.2,
    )
    return ChooseRecord(
        started_at=MOMENT + 3 * MINUTE,
        finished_at=MOMENT + 4 * MINUTE,
        script_sha256="",
        parent="v001",
        selected=selected,
        child_sha256="",
        deferred=(),
    )


def reason(workspace: Workspace, **config: float) -> str | None:
    return why_ended(workspace, Rules(loop_config=LoopConfig.model_validate(config)))


def test_patience_counts_versions_since_the_best(analyzed: Callable[..., Workspace]) -> None:
    workspace = analyzed("v001", "v002", "v002", "v002")
    assert reason(workspace, patience=3) is None
    said = reason(workspace, patience=2)
    assert said is not None
    assert "2 version(s) after v002" in said
    assert "loop_config.patience: 2" in said


def test_no_version_is_begun_that_would_exceed_the_budget(analyzed: Callable[..., Workspace]) -> None:
    workspace = analyzed("v001", "v001", "v001")
    assert (time_spent(workspace).used, time_spent(workspace).expected) == (12, 4)
    assert reason(workspace, time_budget_minutes=16) is None
    said = reason(workspace, time_budget_minutes=15.9)
    assert said is not None
    assert "12.0 minutes are used and one more version takes about 4.0" in said


def test_repeats_are_counted_once_and_not_expected_again(analyzed: Callable[..., Workspace], score: EvalScore) -> None:
    workspace = analyzed("v001")
    inside = {"started_at": MOMENT, "finished_at": MOMENT + 2 * MINUTE}  # while v001 was analyzed
    before = {"started_at": MOMENT - 5 * MINUTE, "finished_at": MOMENT}  # by a loop that was killed
    for number, when in enumerate((inside, before), start=1):
        repeat = RepeatRecord(**when, script_sha256="", number=number, seed=number, score=score)
        workspace.write_record(repeat, f"repeat_{number:02d}", "v001")
    spent = time_spent(workspace)
    assert (spent.used, spent.expected) == (9, 2)


def test_a_change_without_effect_is_no_try_and_a_withdrawn_one_takes_time(analyzed: Callable[..., Workspace]) -> None:
    workspace = analyzed("v001", "v001", "v001")
    assert "2 version(s) after v001 have not improved" in (reason(workspace, patience=2) or "")
    analysis = workspace.read_record(AnalyzeRecord, "analyze", "v002")
    assert analysis is not None
    nothing = analysis.comparison.model_copy(update={"verdict": "without effect"})
    workspace.write_record(analysis.model_copy(update={"comparison": nothing}), "analyze", "v002")
    assert reason(workspace, patience=2) is None
    assert time_spent(workspace).used == 12
    withdrawn = WithdrawnRecord(
        started_at=MOMENT + 30 * MINUTE,
        finished_at=MOMENT + 35 * MINUTE,
        script_sha256="",
        number=1,
        version="v004",
        action="gelu",
        parameters={},
        touches=(),
        failures=("E",),
    )
    workspace.write_record(withdrawn, withdrawn_name(1), "v003")
    assert (time_spent(workspace).used, time_spent(workspace).expected) == (17, 4)


@pytest.fixture
def score() -> EvalScore:
    return EvalScore(dataset_id="v1", created_at=MOMENT, num_samples=1, metrics=(), latency_ms=1.0)


def test_the_limit_of_versions_and_an_empty_catalogue_come_first(
    analyzed: Callable[..., Workspace], accept: ChooseRecord
) -> None:
    workspace = analyzed("v001", "v001")
    assert "max_versions (2)" in (reason(workspace, max_versions=2, patience=1) or "")
    workspace.write_record(accept.model_copy(update={"selected": None}), "choose", "v002")
    assert "nothing in the catalogue" in (reason(workspace, patience=1) or "")
    workspace.write_record(accept.model_copy(update={"selected": None, "remark": "three failed"}), "choose", "v002")
    assert reason(workspace, patience=1) == "three failed"
    workspace.forget("choose", "v002")
    assert reason(workspace, max_versions=2, patience=1) is None


def limit(root: Path, **config: float | None) -> None:
    write_rules(root, max_versions=5)
    path = root / "user_defined_rules.json"
    rules = json.loads(path.read_text())
    rules["loop_config"] |= config
    path.write_text(json.dumps(rules))


def analysis(root: Path) -> str:
    return (sorted((root / "Models" / "Report").iterdir())[-1] / "final-analysis.md").read_text()


def test_a_loop_ends_by_its_budget_and_goes_on_with_a_larger_one(workspace: Path, progtrain: Run) -> None:
    limit(workspace, time_budget_minutes=0.001)
    ended = progtrain("run", workspace)
    assert ended.returncode == 0, ended.stderr
    assert "v001: 0." in ended.stdout
    assert "loop_config.time_budget_minutes: 0.001); the loop ends here" in ended.stdout
    assert "Why the loop ended: 0." in analysis(workspace)
    extract = (workspace / "Models" / "Artifacts" / "v001" / "action-extract.md").read_text()
    assert "- **Why this one**: answers " in extract
    assert "prior 0." in extract
    assert Workspace(workspace).read_record(Memory, "memory") is not None
    status = progtrain("status", workspace).stdout
    assert "finished: best is v001" in status
    assert "ended: 0." in status
    assert "of 0.001 minutes used; one more version takes about" in status

    # Nearly the same training over again, put there by hand: no improvement on v001.
    source = (workspace / "02_train_v001.py").read_text().replace("LEARNING_RATE = 0.01", "LEARNING_RATE = 0.0101")
    (workspace / "02_train_v002.py").write_text(source.replace('VERSION = "v001"', 'VERSION = "v002"'))
    limit(workspace, patience=1)
    ended = progtrain("run", workspace)
    assert ended.returncode == 0, ended.stderr
    assert "v002: 1 version(s) after v001 have not improved on it beyond noise" in ended.stdout
    assert "(loop_config.patience: 1)" in analysis(workspace)
    assert not (workspace / "02_train_v003.py").exists()
    limit(workspace)
    assert "2 of 5 versions; progtrain run goes on from here" in progtrain("status", workspace).stdout
