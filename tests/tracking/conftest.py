"""A real SQLite store, a real server, hand-made versions, and an executor that hands out a model exported once."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import torch
from mlflow import MlflowClient
from mlflow.models import infer_signature

from progtrain.executors import Job, Outcome
from progtrain.records import Comparison, EvalScore, LoaderSettings, MetricValue, OptimizerSettings, Snapshot
from progtrain.rules import EvalConfig, Rules
from progtrain.step_records import AnalyzeRecord, AuthorRecord, EvaluateRecord, TrainRecord
from progtrain.tracking import Tracker
from progtrain.workspace import Workspace, sha256_of, version_id, version_number

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import mlflow.pyfunc
    import mlflow.pytorch

DATASET = "v1"
PRIMARY = "accuracy"
MOMENT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _environment() -> Iterator[None]:
    """No test sees another's MLflow variables, nor waits long for a server that is down."""
    before = dict(os.environ)
    for name in [name for name in os.environ if name.startswith("MLFLOW_")]:
        del os.environ[name]
    os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "1"
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An initialised MLflow database; making one takes 2 s, copying it none."""
    database = tmp_path_factory.mktemp("template") / "mlflow.db"
    MlflowClient(f"sqlite:///{database}").search_experiments()
    return database


@contextmanager
def serving(folder: Path, template: Path, port: int) -> Iterator[str]:
    database = folder / "server.db"
    if not database.exists():
        shutil.copy(template, database)
    command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", f"sqlite:///{database}"]
    command += ["--artifacts-destination", str(folder / "artifacts"), "--port", str(port), "--workers", "1"]
    environment = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
    with (folder / "server.log").open("w") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=folder, start_new_session=True)
    try:
        _wait_until_healthy(server, port)
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(server.pid, 15)
        server.wait(30)


def _wait_until_healthy(server: subprocess.Popen[bytes], port: int) -> None:
    for _ in range(600):
        assert server.poll() is None
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the server did not start")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, template: Path) -> Iterator[str]:
    """One server for the whole test run."""
    with serving(tmp_path_factory.mktemp("server"), template, free_port()) as uri:
        yield uri


@pytest.fixture(scope="session")
def start_server() -> Callable[[Path, Path, int], object]:
    return serving


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture(params=["sqlite", "server"])
def store(request: pytest.FixtureRequest, workspace: Workspace) -> str:
    """The URI of a store; every test that asks for it runs against both kinds."""
    if request.param == "sqlite":
        return f"sqlite:///{workspace.root / 'mlflow.db'}"
    uri = str(request.getfixturevalue("server"))
    os.environ["MLFLOW_TRACKING_URI"] = uri
    return uri


@pytest.fixture
def workspace(tmp_path: Path, template: Path, request: pytest.FixtureRequest) -> Workspace:
    """A workspace whose name no other test has: a server keeps what earlier tests left."""
    root = tmp_path / f"work {abs(hash(request.node.nodeid)) % 10**8}"
    (root / "dataset" / "prepdata" / DATASET).mkdir(parents=True)
    shutil.copy(template, root / "mlflow.db")
    return Workspace(root)


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder as the export job writes it."""
    folder = tmp_path_factory.mktemp("exported") / "model"
    example = np.zeros((2, 4), dtype=np.float32)
    module = torch.nn.Linear(4, 3).eval()
    signature = infer_signature(example, module(torch.from_numpy(example)).detach().numpy())
    mlflow.pytorch.save_model(
        module,
        str(folder),
        signature=signature,
        input_example=example,
        pip_requirements=["torch"],
        serialization_format="pt2",
    )
    return folder


@dataclass
class ExportedOnce:
    """An executor whose every export is the same finished one, or fails."""

    exported: Path
    fails: bool = False
    jobs: int = 0

    def run(self, job: Job, on_tick: Callable[[], None] | None = None) -> Outcome:
        self.jobs += 1
        if self.fails:
            return Outcome(exit_code=1, seconds=0.0)
        shutil.copytree(self.exported, job.arguments[-1])
        return Outcome(exit_code=0, seconds=0.0)

    def close(self) -> None:
        pass


@pytest.fixture
def executor(exported: Path) -> ExportedOnce:
    return ExportedOnce(exported)


@pytest.fixture
def rules() -> Rules:
    return Rules(eval_config=EvalConfig(primary_metric=PRIMARY, metrics=(PRIMARY,)))


@pytest.fixture
def tracker(workspace: Workspace, rules: Rules, executor: ExportedOnce) -> Iterator[Tracker]:
    made = Tracker(workspace, rules, executor)
    yield made
    made.close("FINISHED")


@pytest.fixture
def snapshot() -> Snapshot:
    loader = LoaderSettings(
        size=100, batch_size=8, shuffle=True, sampler="RandomSampler", workers=0, fingerprint="ab" * 32
    )
    return Snapshot(
        optimizers=(OptimizerSettings(type="SGD", groups=({"lr": 0.1},)),),
        schedulers=(),
        max_epochs=2,
        max_steps=-1,
        gradient_clip_val=None,
        gradient_clip_algorithm=None,
        accumulate_grad_batches=1,
        precision="32-true",
        seed=42,
        train=loader,
        valid=loader,
        callbacks=(),
        checkpoints=(),
        loggers=(),
        layers=(),
        calls=(),
        parameters=15,
        first_loss=1.0,
        batch=None,
    )


@dataclass(frozen=True)
class Maker:
    """Writes what the steps of the loop leave behind."""

    workspace: Workspace
    snapshot: Snapshot

    def author(self, version: str) -> AuthorRecord:
        source = f'VERSION = "{version}"\nLR = {version_number(version)}\n'
        self.workspace.script(version).write_text(source)
        record = AuthorRecord(
            version=version,
            parent=version_id(version_number(version) - 1) if version != "v001" else None,
            parent_sha256=None,
            action="lower_rate" if version != "v001" else "baseline",
            parameters={},
            touches=("lr",),
            script_sha256=sha256_of(source),
            created_at=MOMENT,
        )
        self.workspace.write_record(record, "author", version)
        return record

    def curve(self, version: str, epochs: int) -> None:
        folder = self.workspace.artifacts(version) / "logs" / "version_0"
        folder.mkdir(parents=True, exist_ok=True)
        rows = "".join(f"{epoch},{9 + 10 * epoch},{1 / (epoch + 1)},0.5\n" for epoch in range(epochs))
        (folder / "metrics.csv").write_text(f"epoch,step,val_loss,{PRIMARY}\n{rows}")

    def trained(self, version: str) -> None:
        self.curve(version, epochs=2)
        home = self.workspace.artifacts(version)
        (home / "best.ckpt").write_bytes(b"weights")
        (home / "spec.json").write_text("{}")
        self.train_record(version)

    def train_record(self, version: str) -> None:
        whole = {"started_at": MOMENT, "finished_at": MOMENT, "script_sha256": self.workspace.script_sha256(version)}
        record = TrainRecord(**whole, attempts=1, seconds=1.0, snapshot=self.snapshot)
        self.workspace.write_record(record, "train", version)

    def evaluated(self, version: str, accuracy: float | None) -> EvalScore:
        metrics = (
            MetricValue(name=PRIMARY, value=accuracy, higher_is_better=True),
            MetricValue(name="recall@5", value=1 / 3, higher_is_better=True),
        )
        score = EvalScore(dataset_id=DATASET, created_at=MOMENT, num_samples=100, metrics=metrics, latency_ms=0.25)
        home = self.workspace.artifacts(version)
        (home / "eval_score.json").write_text(score.model_dump_json())
        (home / "result-analysis.md").write_text(f"# {version}\nbetter")
        whole = {"started_at": MOMENT, "finished_at": MOMENT, "script_sha256": self.workspace.script_sha256(version)}
        self.workspace.write_record(EvaluateRecord(**whole, score=score, seconds=1.0), "evaluate", version)
        comparison = Comparison(metric=PRIMARY, difference=None, low=None, high=None, verdict="improved")
        self.workspace.write_record(AnalyzeRecord(**whole, comparison=comparison, findings=()), "analyze", version)
        return score

    def records(self, version: str, accuracy: float) -> None:
        """Of a version that was trained for real."""
        self.train_record(version)
        self.evaluated(version, accuracy)

    def finish(self, version: str, accuracy: float | None) -> EvalScore:
        self.author(version)
        self.trained(version)
        return self.evaluated(version, accuracy)


@pytest.fixture
def make(workspace: Workspace, snapshot: Snapshot) -> Maker:
    return Maker(workspace, snapshot)
