"""Scripts in the habits of others, from the baseline to v001's figures: each is true, or the script is refused."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from progtrain.advisors.by_rule import RuleAdvisor
from progtrain.errors import ProgtrainError
from progtrain.executors import Job
from progtrain.executors.local import LocalExecutor
from progtrain.ranking import ranked_by
from progtrain.rules import read_rules
from progtrain.steps import Context, initialize
from progtrain.steps.evaluate import evaluate
from progtrain.steps.train import train
from progtrain.tracking import Tracker
from progtrain.workspace import Workspace

#: Script -> the metrics that its figures must have.
MEASURED = {
    "broadcast_bug": {"mae", "rmse", "r2", "loss"},
    "residual_target": {"mae", "rmse", "smape", "loss"},
    "several_crops": {"accuracy", "f1_macro", "loss"},
    "standardized_target": {"mae", "rmse", "r2", "loss"},
    "masked_language": {"perplexity", "accuracy", "loss"},
    "timm_like": {"accuracy", "f1_macro", "loss"},
    "void_border": {"iou", "dice", "loss"},
}
#: Script -> a word of the reason.
REFUSED = {
    "arcface": "the model is given the targets too",
    "bucket_batches": "by its own BucketBatchSampler",
    "siamese": "nothing tells from which score on the answer is the second class",
    "tagger_masked": "the loss cannot be stated",
    "triplets": "compares the samples of a batch with each other",
}


def context_of(root: Path, executor: LocalExecutor) -> Context:
    workspace, rules = Workspace(root), read_rules(root)
    tracker = Tracker(workspace, rules, executor)
    return Context(workspace, rules, executor, tracker, RuleAdvisor(), lambda line: None, lambda line: None)


@pytest.mark.parametrize("name", MEASURED)
def test_every_figure_is_true(name: str, tmp_path: Path, executor: LocalExecutor) -> None:
    from foreign_scripts import make_workspace, wrong_figure

    root = tmp_path / "workspace"
    make_workspace(root, name)
    context = context_of(root, executor)
    initialize(context)
    context = replace(context, rules=ranked_by(context.rules, context.loop.primary))
    train(context, "v001")
    evaluate(context, "v001")

    home, log = context.workspace.artifacts("v001"), tmp_path / "truth.log"
    arguments = ("-m", "foreign.own_training", name, str(home / "best.ckpt"))
    assert executor.run(Job(arguments, root, log)).succeeded, log.read_text()
    truths = json.loads((root / "truth.json").read_text())["figures"]
    got = {each["name"]: each["value"] for each in json.loads((home / "eval_score.json").read_text())["metrics"]}
    assert set(got) == MEASURED[name]
    assert [told for metric, value in got.items() if (told := wrong_figure(metric, value, truths))] == []


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_measured_is_refused_before_a_training(
    name: str, tmp_path: Path, executor: LocalExecutor
) -> None:
    from foreign_scripts import make_workspace

    make_workspace(tmp_path / "workspace", name)
    with pytest.raises(ProgtrainError, match=REFUSED[name]) as refused:
        initialize(context_of(tmp_path / "workspace", executor))
    assert "nothing is trained yet" in str(refused.value).lower()
    assert not list(tmp_path.glob("workspace/Models/Artifacts/v*/best.ckpt"))
