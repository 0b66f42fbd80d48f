"""What became of a whole loop of two versions on one script of the corpus."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Literal

from tests.corpus.data import TRAIN, VALID, write_data
from tests.corpus.trials import ROOT, files_of, scripts

RECORD: Final = Path(__file__).with_name("loops.json")
TASKS: Final = json.loads(Path(__file__).with_name("tasks.json").read_text(encoding="utf-8"))
TIME_LIMIT: Final = 560.0
RULES: Final = {"loop_config": {"max_versions": 2}, "dataset_config": {"dataset_id": "v1"}}

Outcome = Literal["report", "refused", "fault"]


@dataclass(frozen=True)
class Loop:
    """`progtrain run` on one script.

    Args:
        script: name of the script.
        outcome: "report" where it ended with one, "refused" where nothing was trained and a message says why.
        reason: of a refusal or a fault.
    """

    script: str
    outcome: Outcome
    reason: str = ""


def run_loop(name: str, folder: Path) -> Loop:
    """Run the loop in a fresh workspace, unless the same script was run there already.

    Args:
        name: of the script.
        folder: the workspaces of all scripts.

    Returns:
        What became of it; it is kept in `folder` too.
    """
    source = scripts()[name].read_text(encoding="utf-8")
    kept = folder / f"{name}.json"
    if kept.is_file():
        known = json.loads(kept.read_text(encoding="utf-8"))
        if known["source"] == source:
            return Loop(**known["loop"])
    workspace = folder / name
    shutil.rmtree(workspace, ignore_errors=True)
    make_workspace(name, workspace)
    loop = _run_in(name, workspace)
    kept.write_text(json.dumps({"source": source, "loop": asdict(loop)}), encoding="utf-8")
    return loop


def make_workspace(name: str, root: Path) -> None:
    """A workspace with a script of the corpus as its baseline.

    Args:
        name: of the script.
        root: the workspace, not there yet.
    """
    root.mkdir(parents=True)
    write_data(root)
    source = scripts()[name]
    for file in files_of(name):
        shutil.copyfile(file, root / ("02_train_baseline.py" if file == source else file.name))
    stats = {"task_type": TASKS.get(name, "classification"), "num_train": TRAIN, "num_valid": VALID}
    (root / "dataset" / "prepdata" / "v1" / "stats.json").write_text(json.dumps(stats))
    (root / "user_defined_rules.json").write_text(json.dumps(RULES))


def _run_in(name: str, root: Path) -> Loop:
    own = {key: value for key, value in os.environ.items() if not key.startswith("MLFLOW_")}
    environment = {**own, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "MLFLOW_DISABLE_TELEMETRY": "true"}
    command = [sys.executable, "-m", "progtrain", "run", "."]
    try:
        done = subprocess.run(
            command, cwd=root, env=environment, capture_output=True, text=True, check=False, timeout=TIME_LIMIT
        )
    except subprocess.TimeoutExpired:
        return Loop(name, "fault", f"it did not end within {TIME_LIMIT:.0f} s")
    (root / "said.txt").write_text(done.stdout + done.stderr, encoding="utf-8")
    said = _one_line(done.stderr, root)
    if "Traceback" in done.stdout + done.stderr:
        return Loop(name, "fault", f"a traceback: {said[-300:]}")
    if done.returncode == 0:
        ended = any((root / "Models" / "Report").glob("*/final-analysis.md"))
        return Loop(name, "report") if ended else Loop(name, "fault", f"it ended without a report: {said}")
    artifacts = root / "Models" / "Artifacts"
    spent = [*artifacts.glob("v*/best.ckpt"), *artifacts.glob("v*/_tests/train_retry_report.md")]
    return Loop(name, "fault", f"after a training: {said}") if spent else Loop(name, "refused", said)


def _one_line(text: str, root: Path) -> str:
    """The error's words, without the folder that they were said in."""
    last = text.rpartition("error: ")[2]
    return re.sub(r"\s+", " ", last.replace(f"{root}/", "").replace(str(root), ".")).strip()
