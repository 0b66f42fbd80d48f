"""A short loop from baseline to report, and MLflow held against the files."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run as MlflowRun

from progtrain.actions import action_named
from progtrain.records import EvalScore
from progtrain.script.editing.versioning import body, set_constant
from progtrain.script.settings.knob_values import differing
from progtrain.step_records import AuthorRecord, ReportRecord
from progtrain.workspace import Workspace

from .conftest import Run, hold_against_written_rules, leaderboard, write_rules


@pytest.fixture(scope="module")
def finished(signals: Path, tmp_path_factory: pytest.TempPathFactory, progtrain: Run) -> Workspace:
    root = Path(shutil.copytree(signals, tmp_path_factory.mktemp("finished") / "signals"))
    write_rules(root, max_versions=3)
    ended = progtrain("run", root)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return Workspace(root)


@pytest.fixture(scope="module")
def client(finished: Workspace) -> MlflowClient:
    return MlflowClient(f"sqlite:///{finished.root / 'mlflow.db'}")


@pytest.fixture(scope="module")
def parent(finished: Workspace, client: MlflowClient) -> MlflowRun:
    (experiment,) = client.search_experiments(filter_string=f"name = '{finished.root.name}'")
    (found,) = client.search_runs([experiment.experiment_id], "tags.`progtrain.kind` = 'loop'")
    return found


@pytest.fixture(scope="module")
def runs(client: MlflowClient, parent: MlflowRun) -> dict[str, MlflowRun]:
    nested = client.search_runs([parent.info.experiment_id], f"tags.`mlflow.parentRunId` = '{parent.info.run_id}'")
    return {run.data.tags["progtrain.version"]: run for run in nested if run.data.tags["progtrain.kind"] == "version"}


def score(workspace: Workspace, version: str) -> EvalScore:
    return EvalScore.model_validate_json((workspace.artifacts(version) / "eval_score.json").read_bytes())


def test_written_rules_hold(finished: Workspace) -> None:
    hold_against_written_rules(finished.root)


def test_every_version_is_a_finished_run_nested_in_the_loop(
    finished: Workspace, parent: MlflowRun, runs: dict[str, MlflowRun]
) -> None:
    assert sorted(runs) == list(finished.versions()) == ["v001", "v002", "v003"]
    assert {run.info.status for run in (parent, *runs.values())} == {"FINISHED"}


def test_runs_carry_what_eval_score_says(finished: Workspace, runs: dict[str, MlflowRun]) -> None:
    for version, run in runs.items():
        for metric in score(finished, version).metrics:
            assert run.data.metrics[metric.name] == pytest.approx(metric.value, abs=1e-12), (version, metric.name)


def test_runs_say_what_was_trained(finished: Workspace, runs: dict[str, MlflowRun]) -> None:
    assert runs["v001"].data.params["optimizer"] == "SGD"
    assert runs["v001"].data.params["lr"] == "0.01"
    assert {run.data.params["epochs"] for run in runs.values()} == {"3"}
    for version in ("v002", "v003"):
        author = finished.read_record(AuthorRecord, "author", version)
        assert author is not None
        assert runs[version].data.tags["progtrain.action"] == author.action
        assert runs[version].data.tags["progtrain.parent_version"] == author.parent
        assert runs[version].data.tags["progtrain.verdict"] in ("improved", "regressed", "within noise")


def test_curves_have_their_steps(finished: Workspace, client: MlflowClient, runs: dict[str, MlflowRun]) -> None:
    history = client.get_metric_history(runs["v001"].info.run_id, "val_loss")
    assert [point.step for point in history] == [4, 9, 14]


def test_every_file_is_mirrored(finished: Workspace, client: MlflowClient, runs: dict[str, MlflowRun]) -> None:
    for version, run in runs.items():
        home = finished.artifacts(version)
        wanted = {path.relative_to(home).as_posix() for path in home.rglob("*") if path.is_file()}
        mirrored = set(files_of(client, run.info.run_id))
        assert {name for name in wanted if not any(there.endswith(name) for there in mirrored)} == set()
        assert any(there.endswith(f"02_train_{version}.py") for there in mirrored)


def files_of(client: MlflowClient, run_id: str, path: str | None = None) -> Iterator[str]:
    for entry in client.list_artifacts(run_id, path):
        if entry.is_dir:
            yield from files_of(client, run_id, entry.path)
        else:
            yield entry.path


def test_best_is_champion_in_the_registry(finished: Workspace, client: MlflowClient) -> None:
    (model,) = client.search_registered_models()
    versions = client.search_model_versions(f"name = '{model.name}'")
    assert sorted(version.tags["progtrain.version"] for version in versions) == ["v001", "v002", "v003"]
    champion = client.get_model_version_by_alias(model.name, "champion")
    assert champion.tags["progtrain.version"] == leaderboard(finished.root)[0]["version_id"]


def test_best_so_far_stands_on_the_loop(finished: Workspace, client: MlflowClient, parent: MlflowRun) -> None:
    values = [score(finished, version).metric("accuracy").value for version in finished.versions()]  # type: ignore[union-attr]
    points = client.get_metric_history(parent.info.run_id, "best_accuracy")
    best = {point.step: point.value for point in points}
    assert best == {step: pytest.approx(max(values[:step])) for step in (1, 2, 3)}


def test_replaying_the_action_gives_the_child(finished: Workspace) -> None:
    for version in ("v002", "v003"):
        author = finished.read_record(AuthorRecord, "author", version)
        assert author is not None
        assert author.parent is not None
        parent_body = body(finished.read_script(author.parent))
        replayed = set_constant(action_named(author.action).apply(parent_body, author.parameters), "VERSION", version)
        assert replayed == body(finished.read_script(version))


def test_snapshots_differ_in_declared_knobs_only(finished: Workspace) -> None:
    from progtrain.step_records import CaptureRecord

    for version in ("v002", "v003"):
        author = finished.read_record(AuthorRecord, "author", version)
        assert author is not None
        before = finished.read_record(CaptureRecord, "capture", author.parent)
        after = finished.read_record(CaptureRecord, "capture", version)
        assert before is not None
        assert after is not None
        different = differing(before.snapshot, after.snapshot)
        assert different
        assert different <= set(author.touches)


def test_scripts_of_the_loop_run_by_hand(finished: Workspace, progtrain: Run, tmp_path: Path) -> None:
    import sys

    from .conftest import environment

    copy = Path(shutil.copytree(finished.root, tmp_path / "copy"))
    by_hand = (sys.executable, "03_eval.py", "v002")
    ended = subprocess.run(by_hand, cwd=copy, env=environment(), capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    again = score(Workspace(copy), "v002")
    for metric in score(finished, "v002").metrics:
        assert again.metric(metric.name).value == pytest.approx(metric.value, abs=1e-5)  # type: ignore[union-attr]


def test_run_again_does_nothing_then_goes_on_when_the_limit_is_raised(
    finished: Workspace, progtrain: Run, tmp_path: Path
) -> None:
    root = Path(
        shutil.copytree(finished.root, tmp_path / "raised", ignore=shutil.ignore_patterns("mlflow.db", "mlartifacts"))
    )
    workspace = Workspace(root)
    before = workspace.read_record(ReportRecord, "report")
    trained = (root / ".progtrain" / "v003" / "train.json").stat().st_mtime_ns
    assert progtrain("run", root).returncode == 0
    assert workspace.read_record(ReportRecord, "report") == before
    write_rules(root, max_versions=4)
    ended = progtrain("run", root)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert (root / ".progtrain" / "v003" / "train.json").stat().st_mtime_ns == trained
    assert len(list((root / "Models" / "Report").iterdir())) == 2
    assert sorted(row["version_id"] for row in leaderboard(root)) == ["v001", "v002", "v003", "v004"]
    hold_against_written_rules(root)


def test_status_and_diff_speak_of_the_finished_loop(finished: Workspace, progtrain: Run) -> None:
    status = progtrain("status", finished.root).stdout
    assert "finished: best is" in status
    difference = progtrain("diff", "v001", "v002", "-w", finished.root).stdout
    assert "-VERSION" in difference
    assert json.loads(progtrain("inspect", finished.script("v002"), "--json").stdout)["script"] == "02_train_v002.py"
