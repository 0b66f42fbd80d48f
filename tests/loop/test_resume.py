"""Killed between any two steps and inside training, a loop ends with the leaderboard of one that ran through."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
from mlflow import MlflowClient

from .conftest import Run, environment, hold_against_written_rules, leaderboard

TRAINING_V002 = "Models/Artifacts/v002/logs/version_0/metrics.csv"
MOMENTS = (
    ".progtrain/loop.json",
    "Models/Artifacts/v001/logs/version_0/metrics.csv",
    ".progtrain/v001/train.json",
    ".progtrain/v001/evaluate.json",
    ".progtrain/v001/analyze.json",
    ".progtrain/v001/choose.json",
    "02_train_v002.py",
    TRAINING_V002,
    ".progtrain/v002/train.json",
    ".progtrain/v002/evaluate.json",
    ".progtrain/v002/choose.json",
    "Models/Report",
)


def kill_when_there(root: Path, moment: str) -> list[int]:
    """Start the loop, kill it -9 as soon as `moment` exists; the ids of its processes."""
    command = [sys.executable, "-m", "progtrain", "run", str(root)]
    loop = subprocess.Popen(command, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not (root / moment).exists():
        assert loop.poll() is None, f"the loop ended before {moment}"
        time.sleep(0.005)
    children = [child.pid for child in psutil.Process(loop.pid).children(recursive=True)]
    os.kill(loop.pid, signal.SIGKILL)
    loop.wait()
    return children


def runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_until_gone(pids: list[int]) -> None:
    deadline = time.monotonic() + 20
    while any(runs(pid) for pid in pids):
        assert time.monotonic() < deadline, "processes of a killed loop are still there"
        time.sleep(0.05)


def test_killed_at_every_moment_it_ends_as_if_never_killed(workspace: Path, tmp_path: Path, progtrain: Run) -> None:
    whole = Path(shutil.copytree(workspace, tmp_path / "whole" / "signals"))
    assert progtrain("run", whole).returncode == 0
    for moment in MOMENTS:
        wait_until_gone(kill_when_there(workspace, moment))
    ended = progtrain("run", workspace)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert leaderboard(workspace) == leaderboard(whole)
    assert len(list((workspace / "Models" / "Report").iterdir())) == 1
    hold_against_written_rules(workspace)
    client = MlflowClient(f"sqlite:///{workspace / 'mlflow.db'}")
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    loops = client.search_runs(experiments, "tags.`progtrain.kind` = 'loop'")
    assert [run.info.status for run in loops] == ["FINISHED"]
    versions = client.search_runs(experiments, "tags.`progtrain.kind` = 'version'")
    assert sorted(run.data.tags["progtrain.version"] for run in versions) == ["v001", "v002"]
    assert not client.search_runs(experiments, "attributes.status = 'RUNNING'")


def test_second_loop_is_refused_and_names_the_first(workspace: Path, progtrain: Run) -> None:
    command = [sys.executable, "-m", "progtrain", "run", str(workspace)]
    first = subprocess.Popen(command, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not (workspace / ".progtrain" / "lock.json").exists():
            time.sleep(0.01)
        second = progtrain("run", workspace)
    finally:
        first.terminate()
        first.wait()
    assert second.returncode == 1
    assert f"process {first.pid}" in second.stderr
    assert "Traceback" not in second.stderr


def test_lost_records_train_the_newest_version_anew(workspace: Path, progtrain: Run) -> None:
    assert progtrain("run", workspace, "--max-versions", "1").returncode == 0
    before = leaderboard(workspace)
    shutil.rmtree(workspace / ".progtrain")
    ended = progtrain("run", workspace, "--max-versions", "1")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert leaderboard(workspace) == before
