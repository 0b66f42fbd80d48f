"""A loop's champion over HTTP: asked with a sample's request, it answers what the sample shows."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from progtrain.workspace import Workspace

from .conftest import Run, environment, write_rules


@contextmanager
def served(name: str, store: Path, home: Path) -> Iterator[str]:
    """`mlflow models serve` of a champion, started in a folder that has nothing of the loop's."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "models", "serve", "-m", f"models:/{name}@champion"]
    command += ["--env-manager", "local", "--port", str(port)]
    own = environment(MLFLOW_TRACKING_URI=f"sqlite:///{store}", MLFLOW_ALLOW_PICKLE_DESERIALIZATION="false")
    own["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{own['PATH']}"
    with (home / "serve.log").open("w") as log:
        server = subprocess.Popen(command, env=own, cwd=home, stdout=log, stderr=log, start_new_session=True)
        try:
            wait_for(f"http://127.0.0.1:{port}/ping", server, home / "serve.log")
            yield f"http://127.0.0.1:{port}/invocations"
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait(30)


def wait_for(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(240):
        assert server.poll() is None, log.read_text()
        try:
            urllib.request.urlopen(address, timeout=5)
        except OSError:
            time.sleep(0.5)
        else:
            return
    raise AssertionError(log.read_text())


def test_the_champion_answers_over_http_what_the_samples_show(workspace: Path, tmp_path: Path, progtrain: Run) -> None:
    write_rules(workspace, max_versions=1)
    ended = progtrain("run", workspace)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    (workspace / "dataset").rename(tmp_path / "away")
    home = tmp_path / "elsewhere"
    home.mkdir()
    samples = sorted((Workspace(workspace).artifacts("v001") / "infer_samples").iterdir())
    assert len(samples) == 3
    with served(workspace.name, workspace / "mlflow.db", home) as address:
        for sample in samples:
            body = (sample / "request.json").read_bytes()
            request = urllib.request.Request(address, body, {"Content-Type": "application/json"})
            with urllib.request.urlopen(request, timeout=30) as reply:
                (answer,) = json.loads(reply.read())["predictions"]
            shown = json.loads((sample / "output.json").read_text())
            assert answer["answer"] == shown["answer"]
            assert [round(score, 3) for score in answer["scores"]] == [round(score, 3) for score in shown["scores"]]
