"""A primary metric that the validation set does not tell: null for every version, told once, and nothing breaks."""

import csv
import json
from pathlib import Path

import numpy as np

from .conftest import Run, hold_against_written_rules

WHY = "no validation sample is of class 9"


def test_a_primary_metric_without_value(workspace: Path, progtrain: Run) -> None:
    path = workspace / "dataset/prepdata/v1/valid/signals.npz"
    with np.load(path) as arrays:
        x, y = arrays["x"], arrays["y"]
    kept = y != 9
    np.savez(path, x=x[kept], y=y[kept])
    stats = {"task_type": "classification", "num_train": 320, "num_valid": int(kept.sum())}
    (workspace / "dataset/prepdata/v1/stats.json").write_text(json.dumps(stats))
    rules = json.loads((workspace / "user_defined_rules.json").read_text())
    rules["eval_config"] |= {"primary_metric": "recall_class_9", "metrics": ["recall_class_9", "auroc", "f1_macro"]}
    (workspace / "user_defined_rules.json").write_text(json.dumps(rules))

    ended = progtrain("run", workspace)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stdout.count(f"recall_class_9 is null: {WHY}") == 1
    home = workspace / "Models" / "Artifacts"
    for version in ("v001", "v002"):
        score = json.loads((home / version / "eval_score.json").read_text())
        values = {each["name"]: each["value"] for each in score["metrics"]}
        assert values.pop("recall_class_9") is None
        assert None not in values.values()
        assert f"recall_class_9 has no value: {WHY}." in (home / version / "result-analysis.md").read_text()
    (report,) = (workspace / "Models" / "Report").iterdir()
    with (report / "leaderboard.csv").open(newline="") as handle:
        assert [row["metric__recall_class_9"] for row in csv.DictReader(handle)] == ["", ""]
    assert (
        f"v001 has no value of the primary metric 'recall_class_9' ({WHY})"
        in (report / "final-analysis.md").read_text()
    )
    hold_against_written_rules(workspace)
