"""Measures one model from elsewhere: `python -m progtrain.evaluation.external.measure NAME --output FILE`.

The model answers in a process of its own, started with its own interpreter where its folder names one; its answers
are scored here, by the locked yardstick, against the locked targets.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import JsonValue

from progtrain.errors import EvaluationError, ProgtrainError
from progtrain.evaluation.external.answers import predictions_from
from progtrain.evaluation.external.inputs import INDEX, inputs_folder
from progtrain.evaluation.scoring.measuring import metrics_of
from progtrain.evaluation.showing.presentation import read_names
from progtrain.evaluation.yardstick.locked import locked_answers, locked_protocol, locked_yardstick
from progtrain.evaluation.yardstick.protocol import USER_METRICS
from progtrain.records import EvalScore
from progtrain.step_records import ExternalScore
from progtrain.workspace import Workspace, now, write_atomic

INTERPRETER: Final = "interpreter.txt"
_CLIENT: Final = Path(__file__).with_name("client.py")


@dataclass(frozen=True)
class Answered:
    """What the model's process wrote: one answer an input, and the circumstances."""

    way: str
    threads: int
    latency_ms: float
    answers: list[JsonValue]


def measure_external(workspace: Workspace, name: str) -> ExternalScore:
    """Ask the model in Models/external/{name} for every validation sample, and score its answers.

    Raises:
        ProgtrainError: it cannot be asked, or its answers have no meaning here.
    """
    protocol = locked_protocol(workspace)
    yardstick, locked = locked_yardstick(workspace, protocol), locked_answers(workspace, protocol)
    answered = _ask(workspace.external / name, inputs_folder(workspace) / INDEX)
    classes = read_names(workspace.prepdata(protocol.dataset_id)).classes
    predictions = predictions_from(answered.answers, locked, yardstick.task, yardstick.loss, classes)
    score = EvalScore(
        dataset_id=protocol.dataset_id,
        created_at=now(),
        num_samples=protocol.num_samples,
        metrics=metrics_of(predictions, yardstick, workspace.root / USER_METRICS),
        latency_ms=answered.latency_ms,
    )
    return ExternalScore(score=score, way=answered.way, threads=answered.threads)


def _ask(folder: Path, index: Path) -> Answered:
    with tempfile.TemporaryDirectory() as scratch:
        answers = Path(scratch) / "answers.json"
        command = [_interpreter(folder), "-u", str(_CLIENT), str(folder), str(index), str(answers)]
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}  # the folder is the user's
        # What it prints is of no use to anyone; what it complains of is the reason, and goes into the log.
        ended = subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
        complaint = ended.stderr.decode(errors="replace").strip()
        print(complaint, file=sys.stderr)
        if ended.returncode != 0:
            last = complaint.splitlines()[-1] if complaint else f"it ended with exit code {ended.returncode}"
            raise EvaluationError(last)
        return Answered(**json.loads(answers.read_text(encoding="utf-8")))


def _interpreter(folder: Path) -> str:
    """The Python that the folder names, else this one."""
    named = folder / INTERPRETER
    if not named.is_file():
        return sys.executable
    path = Path(named.read_text(encoding="utf-8").strip()).expanduser()
    found = path if path.is_absolute() else folder / path
    if not os.access(found, os.X_OK) or found.is_dir():
        raise EvaluationError(f"Expected the path of a Python interpreter in {named}, got {str(path)!r}. Correct it.")
    return str(found)


def main() -> None:
    """Measure in the workspace that is the working directory."""
    parser = argparse.ArgumentParser(prog="python -m progtrain.evaluation.external.measure")
    parser.add_argument("name", help="of a folder in Models/external")
    parser.add_argument("--output", type=Path, required=True, help="file for the ExternalScore")
    options = parser.parse_args()
    try:
        measured = measure_external(Workspace(os.getcwd()), options.name)
    except ProgtrainError as error:
        sys.exit(str(error))
    write_atomic(options.output, measured.model_dump_json(indent=2))
    print(", ".join(f"{metric.name} {metric.value}" for metric in measured.score.metrics))


if __name__ == "__main__":
    main()
