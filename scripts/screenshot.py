"""Picture of the MLflow page that compares a workspace's versions, taken with headless Chromium."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp  # Lightning depends on it
from mlflow import MlflowClient
from mlflow.entities import Run

from progtrain.rules import read_rules
from progtrain.tracking import tags
from progtrain.tracking.card import measured, metric_key
from progtrain.tracking.ledger import RECORD, LoopTracking
from progtrain.workspace import Workspace

VERSIONS = f"tags.`{tags.KIND}` = 'version'"
COLORS = ("#4e79a7", "#f28e2b", "#59a14f", "#e15759", "#b07aa1", "#76b7b2", "#edc948", "#9c755f", "#ff9da7", "#7f7f7f")
AXES, LABEL = 7, 8
"""Of the parallel coordinates: parameters, and characters of a value. More would overlap."""
SIZE = {"width": 1360, "height": 1140, "deviceScaleFactor": 1.25, "mobile": False}
FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--remote-debugging-port=0"),
    # A page that believes in a mouse hides the charts' toolbars until it comes near.
    "--blink-settings=primaryHoverType=2,availableHoverTypes=2,primaryPointerType=4,availablePointerTypes=4",
)
DRAWN = "document.querySelectorAll('.js-plotly-plot').length === 2 && !!document.querySelector('.parcoords canvas')"
PATIENCE = 180
"""Seconds."""


def main(workspace: Workspace, output: Path) -> None:
    """Serve the workspace's store, open the page, write the picture, end both processes."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("screenshot: expected chromium on PATH, found none. Install it (Debian: apt-get install chromium).")
    loop = workspace.read_record(LoopTracking, RECORD)
    runs = MlflowClient(loop.store).search_runs([loop.experiment_id], VERSIONS) if loop and loop.experiment_id else []
    if len(runs) < 2:
        sys.exit(f"screenshot: expected two versions or more in MLflow, found {len(runs)}. `progtrain run` makes them.")
    primary = read_rules(workspace.root).eval_config.primary
    score = measured(workspace, runs[0].data.tags[tags.VERSION])
    ascending = score is not None and not score.metric(primary).higher_is_better
    query = {"workflowType": "machine_learning", "compareRunsMode": "CHART", "searchFilter": VERSIONS}
    query |= {"orderByKey": f"metrics.`{metric_key(primary)}`", "orderByAsc": str(ascending).lower()}
    page = f"MLflowLocalStorage-1.1-ExperimentPage-{json.dumps([loop.experiment_id])}-ReactComponentState"
    storage = {
        page: _page_state(metric_key(primary), _differing(runs)),
        "experimentRunColors": {run.info.run_id: COLORS[i % len(COLORS)] for i, run in enumerate(runs)},
        "mlflow.assistant.fab.autoOpenedOnFirstLoad_v1": True,
        "mlflow.assistant.panelOpen_v1": False,
    }
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        server = f"http://127.0.0.1:{probe.getsockname()[1]}"
    url = f"{server}/#/experiments/{loop.experiment_id}/runs?{urlencode(query)}"
    serve = [sys.executable, "-m", "progtrain", "ui", str(workspace.root), "--port", server.rpartition(":")[2]]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browse = [chromium, *FLAGS, f"--user-data-dir={profile}", "about:blank"]
        with _running(serve), _running(browse):
            picture = asyncio.run(_photograph(Path(profile, "DevToolsActivePort"), f"{server}/health", url, storage))
    output.write_bytes(picture)
    print(f"{output}: {len(runs)} versions")


def _differing(runs: Sequence[Run]) -> list[str]:
    """Parameters for axes: not the same in all runs, short, and all numbers or all words (MLflow drops the rest)."""
    columns = {name: [run.data.params.get(name, "") for run in runs] for name in runs[0].data.params}
    return [
        name
        for name, values in columns.items()
        if len({*values}) > 1 and max(map(len, values)) <= LABEL and len({_is_number(value) for value in values}) == 1
    ][-AXES:]


def _is_number(text: str) -> bool:
    return text.replace(".", "").replace("e-", "").isdigit()


def _page_state(metric: str, params: list[str]) -> dict[str, Any]:
    """What MLflow's experiment page remembers of its charts, in its own words, which are not documented."""
    line = {"xAxisKey": "step", "yAxisKey": "metric", "xAxisScaleType": "linear", "scaleType": "linear", "range": {}}
    line |= {"lineSmoothness": 0, "useGlobalLineSmoothing": True, "useGlobalXaxisKey": True, "yAxisExpressions": []}
    charts = {
        "BAR": {"metricSectionId": "Versions", "metricKey": metric, "displayName": metric},
        "LINE": {"metricSectionId": "Versions", "metricKey": "val_loss", "displayName": "val_loss", **line},
        "PARALLEL": {"metricSectionId": "Settings", "selectedParams": params, "selectedMetrics": [metric]},
    }
    sections = {
        "Versions": {"display": True, "columns": 2, "cardHeight": 390},
        "Settings": {"display": True, "columns": 1, "cardHeight": 350},
        "Model metrics": {"display": False, "isGenerated": True},
        "System metrics": {"display": False, "isGenerated": True},
    }
    return {
        "runsHiddenMode": "SHOW_ALL",
        "compareRunCharts": [{"uuid": kind, "type": kind, "runsCountToCompare": 99} | charts[kind] for kind in charts],
        "compareRunSections": [{"uuid": name, "name": name, "isReordered": True} | sections[name] for name in sections],
        "isAccordionReordered": True,
    }


@contextlib.contextmanager
def _running(command: list[str]) -> Iterator[None]:
    """A process in a group of its own, which is ended with all its children."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait()


async def _photograph(active_port: Path, health: str, url: str, storage: dict[str, Any]) -> bytes:
    """The page as a PNG once its charts are drawn; `storage` is its local storage when it opens."""
    lines = (f"localStorage.setItem({json.dumps(key)}, {json.dumps(json.dumps(storage[key]))})" for key in storage)
    async with asyncio.timeout(PATIENCE), aiohttp.ClientSession() as session:
        await _answer(session, health)
        while not (active_port.is_file() and "\n" in active_port.read_text()):
            await asyncio.sleep(0.2)
        targets = json.loads(await _answer(session, f"http://127.0.0.1:{active_port.read_text().split()[0]}/json"))
        address = next(target["webSocketDebuggerUrl"] for target in targets if target["type"] == "page")
        async with session.ws_connect(address, max_msg_size=0) as devtools:

            async def call(method: str, **params: Any) -> dict[str, Any]:
                await devtools.send_json({"id": 1, "method": method, "params": params})
                while (reply := await devtools.receive_json()).get("id") != 1:
                    pass  # events, which nobody waits for
                return reply["result"]

            await call("Emulation.setDeviceMetricsOverride", **SIZE)
            await call("Page.enable")
            await call("Page.addScriptToEvaluateOnNewDocument", source=";".join(lines))
            await call("Page.navigate", url=url)
            while not (await call("Runtime.evaluate", expression=DRAWN))["result"].get("value"):
                await asyncio.sleep(0.5)
            await asyncio.sleep(3)  # the charts move into their places
            return base64.b64decode((await call("Page.captureScreenshot"))["data"])


async def _answer(session: aiohttp.ClientSession, url: str) -> str:
    """What a server that is still starting answers in the end."""
    while True:
        with contextlib.suppress(aiohttp.ClientConnectionError):
            async with session.get(url) as answer:
                return await answer.text()
        await asyncio.sleep(0.5)


if __name__ == "__main__":
    try:
        main(Workspace(Path(sys.argv[1])), Path(sys.argv[2]))
    except TimeoutError:
        sys.exit(f"screenshot: no charts after {PATIENCE} s. Does `progtrain ui {sys.argv[1]}` show any?")
