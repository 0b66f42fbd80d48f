"""How often the diagnosis finds a fault that was planted, and how often it finds one where there is none.

    python benchmarks/planted_faults.py FOLDER [--seeds 0 1 2] [--minutes 20]

Trains a healthy script and the same script with one fault in it (`benchmarks/planted/`), each in a workspace of its
own below FOLDER, and puts it through Step 0, training, evaluation and analysis. What is trained there already is only
analyzed anew, so that a rule may be mended and measured again in short time. FOLDER gets `reports.csv` (a row a
training), `faults.csv` (fault by finding, the share of trainings) and `findings.csv` (precision and recall).

A finding is right where the fault names it, as expected or as a consequence. Precision: the share of its reports that
are right. Recall: the share of the trainings with a fault that expects it in which it is reported; where a fault
expects several findings, one of them is enough to count the fault as found.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from planted.faults import DATA, FAULTS, TRUE_OF_ALL, Data, Fault, Split

from progtrain.advisors.by_rule import RuleAdvisor
from progtrain.errors import ProgtrainError
from progtrain.executors import Executor
from progtrain.executors.local import LocalExecutor
from progtrain.rules import read_rules
from progtrain.step_records import AnalyzeRecord, TrainRecord
from progtrain.steps import STEPS, Context, initialize
from progtrain.tracking import Tracker
from progtrain.workspace import Workspace

SCRIPT = Path(__file__).parent / "planted" / "02_train_baseline.py"
HEALTHY = "healthy"
NAMED_LEVEL = 0.5
"""No finding more severe than this should be reported of a healthy training."""


def spoilt(data: Data, fault: Fault, seed: int) -> tuple[Split, Split]:
    random = np.random.default_rng(seed)
    train, valid = data.train, data.valid
    if fault.both is not None:
        train, valid = fault.both(train, random), fault.both(valid, random)
    return (train if fault.train is None else fault.train(train, random)), valid


def script_for(constants: Mapping[str, object], fault: Fault, seed: int) -> str:
    """The healthy script with the constants that the data set and the fault ask for."""
    source = SCRIPT.read_text(encoding="utf-8")
    for name, value in {**constants, **fault.constants, "SEED": seed}.items():
        source = re.sub(rf"^{name} = .*$", f"{name} = {value!r}", source, flags=re.MULTILINE)
    for name, factor in fault.factors.items():
        found = re.search(rf"^{name} = (.*)$", source, flags=re.MULTILINE)
        assert found is not None
        scaled = float(found[1]) * factor
        source = source.replace(found[0], f"{name} = {scaled if '.' in found[1] else round(scaled)!r}")
    return source


def make_workspace(root: Path, data: Data, fault: Fault, seed: int) -> None:
    prepdata = root / "dataset" / "prepdata" / "v1"
    sizes = {}
    for name, split in zip(("train", "valid"), spoilt(data, fault, seed), strict=True):
        (prepdata / name).mkdir(parents=True)
        np.savez(prepdata / name / "arrays.npz", x=split.x, y=split.y)
        sizes[f"num_{name}"] = len(split.y)
    (prepdata / "stats.json").write_text(json.dumps({"task_type": data.task_type, **sizes}))
    metric = "accuracy" if data.task_type == "classification" else "rmse"
    rules = {"seed": seed, "dataset_config": {"dataset_id": "v1"}, "eval_config": {"primary_metric": metric}}
    (root / "user_defined_rules.json").write_text(json.dumps(rules))
    (root / "02_train_baseline.py").write_text(script_for(data.constants, fault, seed), encoding="utf-8")


def findings_of(root: Path, executor: Executor) -> dict[str, float]:
    """Finding -> severity, of a workspace's first version; trained and evaluated where it is not yet."""
    workspace = Workspace(root)
    rules = read_rules(root)
    tracker = Tracker(workspace, rules, executor)  # never opened: nothing is sent
    context = Context(workspace, rules, executor, tracker, RuleAdvisor(), lambda line: None, lambda line: None)
    initialize(context)
    for step in STEPS[:3]:
        done = workspace.read_record(step.record, step.name, "v001")
        if step.record is AnalyzeRecord or not workspace.is_whole(done, "v001"):
            step.run(context, "v001")
    record = workspace.read_record(AnalyzeRecord, "analyze", "v001")
    assert record is not None
    return {finding.name: finding.severity for finding in record.findings}


def trained(root: Path) -> bool:
    return root.is_dir() and Workspace(root).read_record(TrainRecord, "train", "v001") is not None


def reports(folder: Path, seeds: list[int], minutes: float) -> pd.DataFrame:
    """A row for each training: data set, fault, seed, and the severity of every finding reported."""
    begun = time.monotonic()
    rows = []
    with LocalExecutor("warm", folder / "supervisor.log") as executor:
        sets = {name: make() for name, make in DATA.items()}
        for seed in seeds:
            for name, fault in FAULTS.items():
                for dataset, data in sets.items():
                    root = folder / dataset / name.replace("/", "by ").replace(" ", "-") / str(seed)
                    late = time.monotonic() - begun > 60 * minutes
                    if (fault.only and data.task_type not in fault.only) or (late and not trained(root)):
                        continue
                    if not root.exists():
                        make_workspace(root, data, fault, seed)
                    try:
                        found = findings_of(root, executor)
                    except ProgtrainError as error:
                        print(f"{dataset:9} {name:24} {seed}  failed: {error}", flush=True)
                        continue
                    rows.append({"data": dataset, "fault": name, "seed": seed, **found})
                    said = "  ".join(f"{finding} {severity:.2f}" for finding, severity in found.items())
                    print(f"{dataset:9} {name:24} {seed}  {said}", flush=True)
    return pd.DataFrame(rows).set_index(["data", "fault", "seed"])


def by_fault(table: pd.DataFrame) -> pd.DataFrame:
    """Fault by finding: the share of the trainings of which it was reported; and of those whose fault was found."""
    shares = table.notna().groupby("fault", sort=False).mean()
    found = [bool({*FAULTS[fault].expected} & {*row.dropna().index}) for (_, fault, _), row in table.iterrows()]
    shares.insert(0, "found", pd.Series(found, index=table.index, dtype=float).groupby("fault").mean())
    shares.insert(0, "trainings", table.groupby("fault").size())
    shares.loc[HEALTHY, "found"] = np.nan
    return shares


def by_finding(table: pd.DataFrame) -> pd.DataFrame:
    """Precision and recall of every finding that was reported or expected."""
    faults = [FAULTS[fault] for fault in table.index.get_level_values("fault")]
    true = {name: (*TRUE_OF_ALL, *make().true) for name, make in DATA.items()}
    of_data = [true[name] for name in table.index.get_level_values("data")]
    names = dict.fromkeys([*table.columns, *(name for fault in faults for name in fault.expected)])
    rows = {}
    for name in names:
        reported = table[name].notna().to_numpy() if name in table else np.zeros(len(table), bool)
        right = np.array([name in {*of, *each.expected, *each.also} for of, each in zip(of_data, faults, strict=True)])
        expected = np.array([name in fault.expected for fault in faults])
        rows[name] = {
            "reported": int(reported.sum()),
            "precision": float(right[reported].mean()) if reported.any() else np.nan,
            "expected": int(expected.sum()),
            "recall": float(reported[expected].mean()) if expected.any() else np.nan,
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("finding")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--minutes", type=float, default=60.0, help="after these no further training is begun")
    options = parser.parse_args()
    folder = options.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    table = reports(folder, options.seeds, options.minutes)
    faults, findings = by_fault(table), by_finding(table)
    for name, made in (("reports", table), ("faults", faults), ("findings", findings)):
        made.round(3).to_csv(folder / f"{name}.csv")
    healthy = table.xs(HEALTHY, level="fault")
    severe = (healthy > NAMED_LEVEL).any(axis=1)
    with pd.option_context("display.width", 250, "display.max_columns", None, "display.max_rows", None):
        print(faults.round(2).T, findings.round(2), sep="\n\n")
    print(f"\nhealthy trainings: {len(healthy)}, with a finding more severe than {NAMED_LEVEL}: {int(severe.sum())}")


if __name__ == "__main__":
    main()
