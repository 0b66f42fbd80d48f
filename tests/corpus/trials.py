"""What became of one action on one script of the corpus, and running every pair of them."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Literal

from progtrain.executors import Job
from progtrain.executors.local import LocalExecutor
from tests.corpus.data import write_data

FOLDER: Final = Path(__file__).parent / "scripts"
ROOT: Final = Path(__file__).resolve().parents[2]
AT_A_TIME: Final = 2
TIME_LIMIT: Final = 300.0
#: Of a script's own row: it is not an action, and stands for capture and training of the script itself.
ITSELF: Final = "(itself)"

Outcome = Literal["applied", "refused", "failed"]


@dataclass(frozen=True)
class Trial:
    """One action on one script.

    Args:
        script: name of the script.
        action: name of the action, or ITSELF.
        outcome: "applied" where the child differs as declared and trains.
        reason: of a refusal or a failure.
    """

    script: str
    action: str
    outcome: Outcome
    reason: str = ""


def scripts() -> dict[str, Path]:
    """Name -> the file to run; a script with modules beside it has a folder of its own."""
    alone = {path.stem: path for path in FOLDER.glob("*.py")}
    beside = {path.parent.name: path for path in FOLDER.glob("*/train.py")}
    return dict(sorted({**alone, **beside}.items()))


def files_of(name: str) -> list[Path]:
    """The script and what it needs beside it."""
    source = scripts()[name]
    return [each for each in source.parent.iterdir() if each.is_file()] if source.name == "train.py" else [source]


def run_trials(names: Iterable[str], actions: Sequence[str]) -> list[Trial]:
    """Try every action on every script, a process a script, in throw-away folders.

    Args:
        names: of scripts.
        actions: of the catalogue.

    Returns:
        A row for every pair, and one for every script itself.
    """
    with tempfile.TemporaryDirectory() as folder:
        environment = {"OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore", "PYTHONPATH": str(ROOT)}
        with (
            LocalExecutor("warm", Path(folder) / "executor.log", environment) as executor,
            ThreadPoolExecutor(AT_A_TIME) as pool,
        ):
            rows = pool.map(lambda name: _run_script(executor, Path(folder) / name, name, actions), names)
            return [row for of_script in rows for row in of_script]


def _run_script(executor: LocalExecutor, folder: Path, name: str, actions: Sequence[str]) -> list[Trial]:
    source = scripts()[name]
    write_data(folder)
    for file in files_of(name):
        shutil.copyfile(file, folder / file.name)
    options = ("--script-name", name, "--output", "trials.json", "--actions", *actions)
    log = folder / "trials.log"
    outcome = executor.run(Job(("-m", "tests.corpus.exercise", source.name, *options), folder, log, TIME_LIMIT))
    if not outcome.succeeded:
        tail = " / ".join(log.read_text(errors="replace").splitlines()[-3:])
        return [Trial(name, ITSELF, "failed", f"exit code {outcome.exit_code}: {tail}")]
    return [Trial(**row) for row in json.loads((folder / "trials.json").read_text())]


def write_trials(trials: Iterable[Trial], path: Path) -> None:
    """As `run_trials` reads them."""
    path.write_text(json.dumps([asdict(trial) for trial in trials]))
