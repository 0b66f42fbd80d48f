"""Whether scripts in the habits of public repositories are measured rightly, or refused: the yardstick's own table.

    python benchmarks/foreign_scripts.py FOLDER [NAME ...] [--jobs 2]

Every script of `benchmarks/foreign/scripts/` gets a workspace below FOLDER. It is first trained as it stands, and what
is true of its best checkpoint computed without progtrain (`benchmarks/foreign/truths/`); then `progtrain run` makes
one version of a fresh copy, and each figure of its eval_score.json is held against the truth. What was trained as it
stands already, and has not changed since, is not trained so again.

Outcome: *agrees*, with the figures; *refused*, with the reason, before any training was spent; *WRONG*, with the figure
got and expected, where another number stands in eval_score.json, a training was spent on what is then refused, or a
traceback is shown. The exit status is 1 if anything is wrong. With no names given, docs/foreign-scripts.md and
benchmarks/results/foreign_scripts.csv are written.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from foreign.data import write
from foreign.figures import Figures

BENCHMARKS = Path(__file__).resolve().parent
SCRIPTS = BENCHMARKS / "foreign" / "scripts"
PAGE = BENCHMARKS.parent / "docs" / "foreign-scripts.md"
RULES = {"loop_config": {"max_versions": 1}, "dataset_config": {"dataset_id": "v1"}}
LOSS_TOLERANCE = 0.02
"""A truth's `loss` is as the script logs it; `loss_over_samples` is there where that is a plain mean of batches."""
TOLERANCE = 0.006
"""Of other figures: a sample of 170 is as much."""


@dataclass(frozen=True)
class Row:
    """What came of one script."""

    script: str
    habit: str
    outcome: str
    figures: str
    seconds: float


def names() -> list[str]:
    return sorted(path.stem for path in SCRIPTS.iterdir() if not path.name.startswith("_"))


def make_workspace(root: Path, name: str) -> None:
    """A workspace with a foreign script as its baseline."""
    truth = importlib.import_module(f"foreign.truths.{name}")
    source = SCRIPTS / name
    if source.is_dir():
        shutil.copytree(source, root, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        root.mkdir(parents=True)
        shutil.copy(source.with_suffix(".py"), root / "02_train_baseline.py")
    write(root, truth.DATA, truth.TASK, **getattr(truth, "STATS", {}))
    (root / "user_defined_rules.json").write_text(json.dumps(RULES, indent=2))


def run(*command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    own = {key: value for key, value in os.environ.items() if not key.startswith("MLFLOW_")}
    environment = {**own, "PYTHONPATH": str(BENCHMARKS), "OMP_NUM_THREADS": "1", "MLFLOW_DISABLE_TELEMETRY": "true"}
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)


def truth_of(folder: Path, name: str) -> Figures:
    """The figures of the script trained as it stands."""
    root, of_script = folder / name / "own", [*SCRIPTS.glob(f"{name}*"), *SCRIPTS.glob(f"{name}/*")]
    known, made_from = (
        root / "truth.json",
        [*of_script, *(BENCHMARKS / "foreign" / file for file in (f"truths/{name}.py", "data.py", "figures.py"))],
    )
    if not known.is_file() or any(path.stat().st_mtime > known.stat().st_mtime for path in made_from):
        shutil.rmtree(root, ignore_errors=True)
        make_workspace(root, name)
        done = run(sys.executable, "-m", "foreign.own_training", name, cwd=root)
        if done.returncode != 0 or not known.is_file():
            raise SystemExit(f"{name} does not train as it stands: {done.stderr[-2000:]}")
    figures: Figures = json.loads(known.read_text())["figures"]
    return figures


def wrong_figure(name: str, got: float | None, truths: Figures) -> str:
    """Empty where a figure of eval_score.json is right."""
    if name not in truths:
        return f"{name} {got}: nothing of that kind can be true of this script"
    other = f"{name}_over_samples"
    if other in truths and not wrong_figure(name, got, {name: truths[other]}):
        return ""
    wanted = truths[name]
    near = LOSS_TOLERANCE * abs(wanted) if name == "loss" else TOLERANCE * max(1.0, abs(wanted))
    near = max(near, truths.get(f"{name}_spread", 0.0))
    return "" if got is not None and abs(got - wanted) <= near else f"{name} {got} expected {wanted:.4g}"


def judged(root: Path, done: subprocess.CompletedProcess[str], truths: Figures) -> tuple[str, str]:
    """The outcome, and the figures or the reason."""
    if "Traceback" in done.stdout + done.stderr:
        return "WRONG", "a traceback"
    if done.returncode != 0:
        artifacts = root / "Models" / "Artifacts"
        spent = [*artifacts.glob("v*/best.ckpt"), *artifacts.glob("v*/_tests/train_retry_report.md")]
        said = re.sub(r"\s+", " ", done.stderr.strip().removeprefix("error: ").replace(str(root), ""))
        return ("WRONG", f"after a training: {said}") if spent else ("refused", said)
    score = json.loads((root / "Models" / "Artifacts" / "v001" / "eval_score.json").read_text())
    got = {metric["name"]: metric["value"] for metric in score["metrics"]}
    wrong = [text for name, value in got.items() if (text := wrong_figure(name, value, truths))]
    if wrong:
        return "WRONG", "; ".join(wrong)
    missing = "" if "loss" in got or "loss" not in truths else "; loss not measured"
    shown = (f"{name} {'null' if value is None else format(value, '.4g')}" for name, value in got.items())
    return "agrees", ", ".join(shown) + missing


def row_of(folder: Path, name: str) -> Row:
    truths, root = truth_of(folder, name), folder / name / "loop"
    shutil.rmtree(root, ignore_errors=True)
    make_workspace(root, name)
    begun = time.monotonic()
    done = run(sys.executable, "-m", "progtrain", "run", ".", cwd=root)
    (folder / name / "said.txt").write_text(done.stdout + done.stderr)
    outcome, figures = judged(root, done, truths)
    habit = (importlib.import_module(f"foreign.truths.{name}").__doc__ or "").strip()
    row = Row(name, habit, outcome, figures, round(time.monotonic() - begun, 1))
    print(f"{row.script:24} {row.outcome:8} {row.seconds:5.1f} s  {row.figures}", flush=True)
    return row


def page_of(rows: list[Row]) -> str:
    """The page of the documentation."""
    counts = {kind: sum(row.outcome == kind for row in rows) for kind in ("agrees", "refused", "WRONG")}
    lines = [
        "# Scripts as others write them",
        "",
        "    python benchmarks/foreign_scripts.py FOLDER",
        "",
        "Written by that command. Each script stands in `benchmarks/foreign/scripts/`, in a habit of public",
        "repositories; what is true of its best checkpoint is computed without progtrain, by torch, scikit-learn and",
        "jiwer (`benchmarks/foreign/truths/`), and holds the loss that the script logs itself. *agrees*: every figure",
        "in `eval_score.json` is true (a loss within 2 %, others within 0.006). *refused*: nothing was trained, and a",
        "message says why.",
        "",
        f"{len(rows)} scripts: {counts['agrees']} agree, {counts['refused']} are refused, {counts['WRONG']} are wrong.",
        "",
        "| script | habit | outcome | figures of v001, or the reason |",
        "|---|---|---|---|",
    ]
    for row in rows:
        said = row.figures if len(row.figures) <= 160 else row.figures[:160].rsplit(" ", 1)[0] + " …"
        lines.append(f"| {row.script} | {row.habit} | {row.outcome} | {said.replace('|', chr(92) + '|')} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    folder = options.folder.resolve()
    with ThreadPoolExecutor(options.jobs) as pool:
        rows = list(pool.map(lambda name: row_of(folder, name), options.names or names()))
    if not options.names:
        PAGE.write_text(page_of(rows), encoding="utf-8")
        pd.DataFrame(rows).to_csv(BENCHMARKS / "results" / "foreign_scripts.csv", index=False)
    wrong = [row.script for row in rows if row.outcome == "WRONG"]
    print(f"{len(rows)} scripts, wrong: {', '.join(wrong) or 'none'}")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
