"""What is measured for the final report alone: models from elsewhere, and the hidden test split."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from mlflow import MlflowClient

from progtrain.step_records import ExternalRecord, HiddenRecord
from progtrain.workspace import Workspace

from .conftest import Run, hold_against_written_rules, leaderboard, write_rules

TEST_LOADER = """
    def test_dataloader(self) -> DataLoader:
        return DataLoader(self.load("test"), batch_size=256, num_workers=0)


class SignalClassifier("""
#: Imported by every Python that starts: notes who opens or lists what below test/.
WATCH = """
import os, sys

def hear(event, arguments):
    if event in ("open", "os.listdir", "os.scandir") and isinstance(arguments[0], (str, os.PathLike)):
        path = os.path.realpath(arguments[0])
        if "/prepdata/v1/test" in path:
            line = f"{os.path.basename(sys.argv[0] if sys.argv else '')} {os.path.basename(path)}\\n"
            os.write(notes, line.encode())

notes = os.open(os.environ["WATCH_NOTES"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
os.set_inheritable(notes, True)
sys.addaudithook(hear)
"""
CONSTANT = "def predict(inputs):\n    assert len(inputs[0]) == 40\n    return [7] * len(inputs)\n"


@dataclass(frozen=True)
class Watched:
    """A finished loop, and what was opened below test/ by which script."""

    workspace: Workspace
    notes: Path
    environment: dict[str, str]

    def opened(self) -> list[str]:
        return self.notes.read_text().splitlines()

    @property
    def page(self) -> str:
        return (sorted(self.workspace.reports.iterdir())[-1] / "final-analysis.md").read_text()


@pytest.fixture(scope="module")
def watched(signals: Path, tmp_path_factory: pytest.TempPathFactory, progtrain: Run) -> Watched:
    home = tmp_path_factory.mktemp("watched")
    root = Path(shutil.copytree(signals, home / "signals"))
    write_rules(root, max_versions=1)
    baseline = root / "02_train_baseline.py"
    baseline.write_text(baseline.read_text().replace("\n\nclass SignalClassifier(", TEST_LOADER, 1))
    prepdata = root / "dataset" / "prepdata" / "v1"
    (prepdata / "test").mkdir()
    with np.load(prepdata / "valid" / "signals.npz") as arrays:
        np.savez(prepdata / "test" / "signals.npz", x=arrays["x"][:50], y=arrays["y"][:50])
    workspace = Workspace(root)
    for name, source in (("constant", CONSTANT), ("broken", "def predict(inputs):\n    raise OSError('no weights')\n")):
        (workspace.external / name).mkdir(parents=True)
        (workspace.external / name / "inference_sample.py").write_text(source)
    (workspace.external / "empty").mkdir()
    (home / "sitecustomize.py").write_text(WATCH)
    notes = home / "notes.txt"
    environment = {"PYTHONPATH": str(home), "WATCH_NOTES": str(notes)}
    ended = progtrain("run", root, **environment)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "warning: broken could not be measured: OSError: no weights" in ended.stdout
    return Watched(workspace, notes, environment)


def test_the_written_rules_hold_with_models_from_elsewhere(watched: Watched) -> None:
    hold_against_written_rules(watched.workspace.root)


def test_nothing_but_the_report_opened_the_test_split(watched: Watched) -> None:
    assert watched.opened()
    assert set(watched.opened()) == {"hidden_split.py signals.npz"}


def test_models_from_elsewhere_stand_on_the_leaderboard_by_their_own_answers(watched: Watched) -> None:
    rows = {row["version_id"]: row for row in leaderboard(watched.workspace.root)}
    assert set(rows) == {"v001", "constant", "broken", "empty"}
    with np.load(watched.workspace.prepdata("v1") / "valid" / "signals.npz") as arrays:
        share = (arrays["y"] == 7).mean()
    assert float(rows["constant"]["metric__accuracy"]) == pytest.approx(share)
    assert rows["constant"]["metric__loss"] == rows["broken"]["metric__accuracy"] == ""
    record = watched.workspace.read_record(ExternalRecord, "external/constant")
    assert record is not None
    assert record.measured is not None
    assert record.measured.way == "predict"


def test_a_model_that_fails_costs_its_own_row_and_says_why(watched: Watched) -> None:
    assert "| broken | | | | OSError: no weights |" in watched.page
    assert "Warning: empty could not be measured, and is ranked last: it ended with exit code 1: Expected one of" in (
        watched.page
    )


def test_a_measured_model_is_a_run_nested_in_the_loop(watched: Watched) -> None:
    client = MlflowClient(f"sqlite:///{watched.workspace.root / 'mlflow.db'}")
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    (loop,) = client.search_runs(experiments, "tags.`progtrain.kind` = 'loop'")
    (run,) = client.search_runs(experiments, "tags.`progtrain.kind` = 'external'")
    assert run.data.tags["mlflow.parentRunId"] == loop.info.run_id
    assert (run.info.run_name, run.info.status) == ("constant", "FINISHED")
    rows = {row["version_id"]: row for row in leaderboard(watched.workspace.root)}
    assert run.data.metrics["accuracy"] == pytest.approx(float(rows["constant"]["metric__accuracy"]))
    assert run.data.params == {"way": "predict", "threads": run.data.params["threads"]}


def test_validation_and_test_stand_side_by_side(watched: Watched) -> None:
    record = watched.workspace.read_record(HiddenRecord, "hidden_split", "v001")
    assert record is not None
    assert record.measured is not None
    assert record.measured.score.num_samples == 50
    assert record.measured.seen_before == ()
    assert "| v001 | accuracy | " in watched.page
    assert "on 50 samples that no choice was made by" in watched.page


def test_a_report_made_anew_measures_only_what_is_new(watched: Watched, progtrain: Run) -> None:
    workspace, opened, page = watched.workspace, watched.opened(), watched.page
    names = ("external/constant", "v001/hidden_split")
    before = [workspace.record_path(name).read_bytes() for name in names]
    (workspace.external / "later").mkdir()
    (workspace.external / "later" / "inference_sample.py").write_text(CONSTANT.replace("7", "3"))
    ended = progtrain("report", workspace.root, **watched.environment)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert len(list(workspace.reports.iterdir())) == 2, "a model from elsewhere that is new asks for a new report"
    assert "later" in [row["version_id"] for row in leaderboard(workspace.root)]
    assert [workspace.record_path(name).read_bytes() for name in names] == before
    assert watched.opened() == opened
    table = page.partition("## The hidden test split")[2].partition("##")[0]
    assert table in watched.page
