"""A change after which the same weights are trained is told as such, is no try of anything, and is not made again."""

import json
from pathlib import Path

from mlflow import MlflowClient

from progtrain.tracking.memory import read_store

from .conftest import Run, hold_against_written_rules, write_rules

#: A rate that the script sets anew before every step, where no capture sees it.
FIXED = """
    def on_train_batch_start(self, batch, batch_idx):
        self.optimizers().param_groups[0]["lr"] = 0.05

    def training_step("""
WORDS = "the trained weights are the parent's, bit for bit"


def test_a_rate_that_the_script_sets_itself_is_without_effect(workspace: Path, progtrain: Run) -> None:
    script = workspace / "02_train_baseline.py"
    script.write_text(script.read_text().replace("\n    def training_step(", FIXED, 1))
    write_rules(workspace, max_versions=3)
    rules = json.loads((workspace / "user_defined_rules.json").read_text())
    rules["constraints"] = {"allow": ["raise_learning_rate"]}
    (workspace / "user_defined_rules.json").write_text(json.dumps(rules))
    ended = progtrain("run", workspace)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    analyzed = json.loads((workspace / ".progtrain/v002/analyze.json").read_text())
    assert analyzed["comparison"]["verdict"] == "without effect"
    assert f"(without effect: {WORDS})" in ended.stdout
    home = workspace / "Models" / "Artifacts"
    assert f"**without effect**: {WORDS}" in (home / "v002" / "result-analysis.md").read_text()
    assert "it was without effect in v002" in (home / "v002" / "action-extract.md").read_text()
    assert not (workspace / "02_train_v003.py").exists()
    hold_against_written_rules(workspace)
    uri = f"sqlite:///{workspace / 'mlflow.db'}"
    client = MlflowClient(uri)
    tried = client.search_runs(
        [each.experiment_id for each in client.search_experiments()], "tags.`progtrain.version` = 'v002'"
    )
    assert {run.data.tags["progtrain.verdict"] for run in tried} == {"without effect"}
    assert read_store(uri).entries == ()
