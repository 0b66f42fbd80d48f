"""One loop of progtrain as it comes, as a list of its trainings."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from peers.tasks import Task, write_workspace

from progtrain.executors import Job
from progtrain.executors.local import LocalExecutor
from progtrain.records import EvalScore
from progtrain.step_records import EvaluateRecord, HiddenScore, ProbeRecord, probe_name
from progtrain.workspace import Workspace


@dataclass(frozen=True)
class Training:
    """One training: its score on the validation split, and on the test split where it was the best so far."""

    kind: str
    valid: float | None
    test: float | None
    what: str


def better(task: Task, value: float | None, best: float | None) -> bool:
    if value is None or value != value:
        return False
    return best is None or (value > best if task.higher_is_better else value < best)


def loop(
    root: Path, task: Task, seed: int, loop_config: Mapping[str, object], command: tuple[str, ...]
) -> Iterator[Training]:
    """Every training in its order, the probes of a version behind it; the loop begins with the weak baseline.

    Args:
        root: of its workspace.
        task: what is to be learnt.
        seed: of the rules.
        loop_config: of the rules.
        command: arguments of the interpreter that runs the loop on the workspace, whose path comes last.
    """
    if not root.exists():
        write_workspace(root, task, seed, loop_config)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MLFLOW_")}
    environment |= {"OMP_NUM_THREADS": "1", "MLFLOW_DISABLE_TELEMETRY": "true"}
    with (root / "run.log").open("a") as log:
        subprocess.run(
            (sys.executable, *command, str(root)), env=environment, check=True, stdout=log, stderr=subprocess.STDOUT
        )
    workspace, best = Workspace(root), None
    with LocalExecutor("warm", root / "hidden.log") as executor:
        for version in workspace.versions():
            record = workspace.read_record(EvaluateRecord, "evaluate", version)
            assert record is not None
            value = _value(record.score, task)
            test = None
            if better(task, value, best):
                best, test = value, _hidden(workspace, executor, task, version)
            change = re.search(r"^# Change: (.*)$", workspace.read_script(version), flags=re.MULTILINE)
            yield Training("version", value, test, change[1] if change else version)
            for probe in workspace.read_numbered(ProbeRecord, probe_name, version):
                probed = None if probe.score is None else _value(probe.score, task)
                yield Training("probe", probed, None, f"{probe.action or 'no change'}, {probe.epochs} epochs")


def _hidden(workspace: Workspace, executor: LocalExecutor, task: Task, version: str) -> float:
    output = workspace.root / f"{version}-test.json"
    arguments = ("-m", "progtrain.evaluation.hidden_split", version, "--output", str(output))
    executor.run(Job(arguments, workspace.root, workspace.log(version, "hidden")))
    value = _value(HiddenScore.model_validate_json(output.read_bytes()).score, task)
    assert value is not None
    return value


def _value(score: EvalScore, task: Task) -> float | None:
    metric = score.metric(task.metric)
    return None if metric is None else metric.value
