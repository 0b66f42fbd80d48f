"""How long the loop takes beside the same trainings run by hand: one ratio, and where the time goes.

    python benchmarks/overhead.py [--versions 10]

Makes the mnist1d example, runs the loop on it, then runs `python 02_train_v###.py` for every version that
resulted, one after another, in a copy of the workspace: both sides in one run, on the same machine. The loop
includes start-up, capture, evaluation, analysis, choice, MLflow and the report.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

STAGES = ("train", "evaluate", "analyze", "choose")


def timed(*arguments: str, cwd: Path) -> float:
    """Seconds that `python ARGUMENTS` takes in `cwd`."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MLFLOW_")}
    begun = time.perf_counter()
    subprocess.run((sys.executable, *arguments), cwd=cwd, env=environment, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begun


def span(path: Path) -> float:
    """Seconds between a record's start and end."""
    record = json.loads(path.read_text())
    ends = [datetime.fromisoformat(record[name]) for name in ("started_at", "finished_at")]
    return (ends[1] - ends[0]).total_seconds()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--versions", type=int, default=10)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        workspace = Path(folder) / "mnist1d"
        subprocess.run((sys.executable, "-m", "progtrain", "new", "mnist1d", str(workspace)), check=True)
        plain = Path(folder) / "plain"
        loop = timed("-m", "progtrain", "run", str(workspace), "--max-versions", str(options.versions), cwd=workspace)
        shutil.copytree(workspace, plain, ignore=shutil.ignore_patterns("mlflow.db", "mlartifacts", ".progtrain"))
        scripts = sorted(plain.glob("02_train_v*.py"))
        by_hand = {script.name: timed(script.name, cwd=plain) for script in scripts}
        state = workspace / ".progtrain"
        stages = {name: sum(span(path) for path in state.glob(f"v*/{name}.json")) for name in STAGES}
        stages["report"] = span(state / "report.json")
    total = sum(by_hand.values())
    for name, seconds in by_hand.items():
        print(f"{'python ' + name:28} {seconds:7.1f} s")
    print(f"{'sum by hand':28} {total:7.1f} s\n")
    for name, seconds in stages.items():
        print(f"{'loop: ' + name:28} {seconds:7.1f} s {seconds / loop:6.0%}")
    rest = loop - sum(stages.values())
    print(f"{'loop: start-up and the rest':28} {rest:7.1f} s {rest / loop:6.0%}")
    print(f"{'loop':28} {loop:7.1f} s\n")
    print(f"ratio loop / by hand: {loop / total:.2f}")


if __name__ == "__main__":
    main()
