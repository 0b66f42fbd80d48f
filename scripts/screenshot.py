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
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp  # Lightning depends on it
from mlflow import MlflowClient
from mlflow.entities import Run

from progtrain.rules import read_rules
from progtrain.tracking import tags
from progtrain.tracking.card import metric_key
from progtrain.tracking.ledger import Ledger
from progtrain.workspace import Workspace

VERSIONS = f"tags.`{tags.KIND}` = 'version'"
WIDTH, HEIGHT, SCALE = 1360, 1060, 1.25
COLORS = ("#4e79a7", "#f28e2b", "#59a14f", "#e15759", "#b07aa1", "#76b7b2", "#edc948", "#9c755f", "#ff9da7", "#7f7f7f")
MAX_AXES, MAX_LABEL = 7, 8
"""Of the parallel coordinates: parameters, and characters of a value; more of them overlap."""
QUIET = "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync --disable-extensions"
OFFLINE = "--disable-background-networking --disable-component-update --disable-default-apps"
# A page that believes in a mouse hides the charts' toolbars until it is there.
MOUSE = "--blink-settings=primaryHoverType=2,availableHoverTypes=2,primaryPointerType=4,availablePointerTypes=4"
DRAWN = "document.querySelectorAll('.js-plotly-plot').length === 2 && !!document.querySelector('.parcoords .dimension')"
PATIENCE = 120
"""Seconds until something that does not come is given up."""


def main(workspace: Workspace, output: Path) -> None:
    """Serve the workspace's store, open the page, write the picture, end both processes."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("screenshot: expected chromium on PATH, found none. Install it (Debian: apt-get install chromium).")
    loop = Ledger(workspace).loop()
    if loop.store is None or loop.experiment_id is None:
        sys.exit(f"screenshot: nothing of {workspace.root} is in MLflow yet. Run `progtrain run {workspace.root}`.")
    runs = MlflowClient(loop.store).search_runs([loop.experiment_id], VERSIONS, order_by=["attributes.start_time ASC"])
    if len(runs) < 2:
        sys.exit(f"screenshot: expected at least two versions to compare, found {len(runs)}. Let the loop run on.")
    memory = {
        "experimentRunColors": {run.info.run_id: COLORS[i % len(COLORS)] for i, run in enumerate(runs)},
        "mlflow.assistant.fab.autoOpenedOnFirstLoad_v1": True,
        "mlflow.assistant.panelOpen_v1": False,
        f'MLflowLocalStorage-1.1-ExperimentPage-["{loop.experiment_id}"]-ReactComponentState': _page_state(
            loop.parent_run_id, metric_key(read_rules(workspace.root).eval_config.primary), _differing(runs)
        ),
    }
    query = urlencode(
        {
            "workflowType": "machine_learning",
            "compareRunsMode": "CHART",
            "searchFilter": VERSIONS,
            "orderByKey": "attributes.start_time",
            "orderByAsc": "true",
        }
    )
    port = _free_port()
    server = [sys.executable, "-m", "progtrain", "ui", str(workspace.root), "--port", str(port)]
    url = f"http://127.0.0.1:{port}/#/experiments/{loop.experiment_id}/runs?{query}"
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile, _running(server):
        flags = [*f"{QUIET} {OFFLINE}".split(), MOUSE, f"--user-data-dir={profile}", "--remote-debugging-port=0"]
        with _running([chromium, *flags, "about:blank"]):
            picture = asyncio.run(_photograph(Path(profile) / "DevToolsActivePort", port, url, memory))
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_bytes(picture)
    print(f"{output}: {len(runs)} versions")


def _differing(runs: Sequence[Run]) -> list[str]:
    """The parameters, of values short enough for an axis, that are not the same in all runs."""
    values = {name: [run.data.params.get(name, "") for run in runs] for name in runs[0].data.params}
    return [name for name, some in values.items() if len({*some}) > 1 and max(map(len, some)) <= MAX_LABEL][-MAX_AXES:]


def _page_state(parent: str, metric: str, params: list[str]) -> dict[str, Any]:
    """What MLflow's experiment page remembers of its charts, in its own (undocumented) words."""

    def section(name: str, columns: int, height: int, display: bool = True) -> dict[str, Any]:
        return {"uuid": name, "name": name, "display": display, "isReordered": True, "deleted": False} | {
            "isGenerated": not display,
            "columns": columns,
            "cardHeight": height,
        }

    def card(where: str, kind: str, **rest: Any) -> dict[str, Any]:
        shared = {"uuid": f"{where}{kind}", "type": kind, "runsCountToCompare": 20, "metricSectionId": where}
        return {**shared, "deleted": False, "isGenerated": False, **rest}

    line = {"xAxisKey": "step", "yAxisKey": "metric", "scaleType": "linear", "xAxisScaleType": "linear", "range": {}}
    charts = [
        card("Versions", "BAR", metricKey=metric, displayName=metric),
        card("Versions", "LINE", metricKey="val_loss", displayName="val_loss", yAxisExpressions=[], **line),
        card("Settings", "PARALLEL", selectedParams=params, selectedMetrics=[metric], showAllRuns=False),
    ]
    hidden = [section(name, 3, 360, display=False) for name in ("Model metrics", "System metrics")]
    return {
        "selectedColumns": [],
        "runsExpanded": {parent: True},
        "runsHiddenMode": "CUSTOM",
        "runsVisibilityMap": {parent: False},
        "compareRunCharts": charts,
        "compareRunSections": [section("Versions", 2, 360), section("Settings", 1, 340), *hidden],
        "isAccordionReordered": True,
        "autoRefreshEnabled": False,
        "globalLineChartConfig": {"xAxisKey": "step", "lineSmoothness": 0, "selectedXAxisMetricKey": ""},
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


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def _photograph(active_port: Path, server_port: int, url: str, memory: dict[str, Any]) -> bytes:
    """The page as a PNG, once its charts are drawn; `memory` is what its local storage holds beforehand."""
    async with asyncio.timeout(PATIENCE), aiohttp.ClientSession() as session:
        await _until_open(session, f"http://127.0.0.1:{server_port}/health")
        while not (active_port.is_file() and len(active_port.read_text().split()) == 2):
            await asyncio.sleep(0.2)
        browser = f"http://127.0.0.1:{active_port.read_text().split()[0]}/json"
        async with session.get(browser) as answer:
            address = next(page["webSocketDebuggerUrl"] for page in await answer.json() if page["type"] == "page")
        async with session.ws_connect(address, max_msg_size=0) as devtools:
            numbers = count(1)

            async def call(method: str, **params: Any) -> dict[str, Any]:
                number = next(numbers)
                await devtools.send_json({"id": number, "method": method, "params": params})
                while (reply := await devtools.receive_json()).get("id") != number:
                    pass
                return reply["result"]

            remember = "".join(
                f"localStorage.setItem({json.dumps(key)}, {json.dumps(json.dumps(value))});"
                for key, value in memory.items()
            )
            size = {"width": WIDTH, "height": HEIGHT, "deviceScaleFactor": SCALE, "mobile": False}
            await call("Emulation.setDeviceMetricsOverride", **size)
            await call("Page.enable")
            await call("Page.addScriptToEvaluateOnNewDocument", source=remember)
            await call("Page.navigate", url=url)
            while not (await call("Runtime.evaluate", expression=DRAWN))["result"].get("value"):
                await asyncio.sleep(0.5)
            await asyncio.sleep(3)  # transitions and the lines of the charts
            return base64.b64decode((await call("Page.captureScreenshot"))["data"])


async def _until_open(session: aiohttp.ClientSession, url: str) -> None:
    while True:
        with contextlib.suppress(aiohttp.ClientError):
            async with session.get(url):
                return
        await asyncio.sleep(0.5)


if __name__ == "__main__":
    main(Workspace(Path(sys.argv[1])), Path(sys.argv[2]))
