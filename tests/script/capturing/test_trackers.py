import os
import subprocess
import sys
import types
from pathlib import Path
from textwrap import dedent

import mlflow
import pytest

from progtrain.records import Snapshot
from tests.script.capturing.scripts import SGD, TRAINER, captured, written

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")


@pytest.fixture(scope="module")
def users(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a store with a run and a model in it."""
    folder = tmp_path_factory.mktemp("users")
    uri = f"sqlite:///{folder}/own.db"
    client = mlflow.MlflowClient(uri)
    run = client.create_run("0", run_name="before")
    client.create_registered_model("start")
    client.create_model_version("start", (folder / "model").as_uri(), run.info.run_id)
    return uri


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, users: str) -> str:
    """The same, named by the environment; the script runs in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", users)
    return users


WAYS = {
    "by the environment": "mlflow.set_experiment('mine')\nmlflow.start_run(run_name='mine')",
    "by an address": (
        "mlflow.set_tracking_uri({uri!r})\nmlflow.set_experiment('mine')\nmlflow.start_run()\nmlflow.log_param('a', 1)"
    ),
    "by a client": (
        "client = mlflow.MlflowClient({uri!r})\nclient.log_metric(client.create_run('0').info.run_id, 'a', 1.0)"
    ),
    "by a logger": (
        "logger = L.pytorch.loggers.MLFlowLogger('mine', tracking_uri={uri!r})\nlogger.log_hyperparams(dict(a=1))\n"
        "logger.log_metrics(dict(a=1.0), step=0)"
    ),
    "a registered model": "mlflow.MlflowClient().create_registered_model('mine')",
}


@pytest.mark.parametrize("way", WAYS)
def test_a_capture_writes_nothing_into_the_users_store(tmp_path: Path, store: str, way: str) -> None:
    captured(tmp_path, f"import mlflow\n{WAYS[way].format(uri=store)}\n{TRAINER}.fit(Net(), loader(50))", SGD)
    _hold_as_it_was(store)
    assert mlflow.active_run() is None
    assert mlflow.get_tracking_uri() == os.environ["MLFLOW_TRACKING_URI"] == store


def test_autologging_writes_nothing_either_and_its_run_is_no_knob(tmp_path: Path, store: str) -> None:
    script = written(
        tmp_path, "import lightning as L\nimport mlflow", f"mlflow.pytorch.autolog()\n{TRAINER}.fit(Net(), loader(50))"
    )
    command = [sys.executable, "-m", "progtrain.script.capturing.capture", script.name, "--output", "snapshot.json"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)  # its patches would stay in this process
    snapshot = Snapshot.model_validate_json((tmp_path / "snapshot.json").read_bytes())
    assert any("MlflowPLCallback" in each and "run_id='<place>'" in each for each in snapshot.callbacks)
    _hold_as_it_was(store)


def _hold_as_it_was(store: str) -> None:
    client = mlflow.MlflowClient(store)
    assert [each.name for each in client.search_experiments()] == ["Default"]
    assert [run.info.run_name for run in client.search_runs(["0"])] == ["before"]
    assert [model.name for model in client.search_registered_models()] == ["start"]


def test_a_script_still_reads_what_the_users_store_has(tmp_path: Path, store: str) -> None:
    body = f"""
        import mlflow
        client = mlflow.MlflowClient()
        (version,) = client.search_model_versions("name = 'start'")
        assert client.get_run(version.run_id).info.run_name == "before"
        assert client.get_model_version_download_uri("start", "1").endswith("/model")
        {TRAINER}.fit(Net(), loader(50))
        """
    assert captured(tmp_path, dedent(body), SGD).snapshot.parameters == 163


def test_weights_and_biases_is_off_whatever_the_script_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[dict[str, object]] = []
    wandb = types.ModuleType("wandb")
    wandb.init = lambda **options: told.append({**options, "variable": os.environ["WANDB_MODE"]})  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "wandb", wandb)
    monkeypatch.delenv("WANDB_MODE", raising=False)
    captured(tmp_path, f"import wandb\nwandb.init(project='p', mode='online')\n{TRAINER}.fit(Net(), loader(50))", SGD)
    assert told == [{"project": "p", "mode": "disabled", "variable": "disabled"}]
    assert "WANDB_MODE" not in os.environ
