"""A script cannot talk its score up: what it logs, patches, forges or swaps does not reach the leaderboard."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from progtrain.errors import EvaluationError, ProtocolChangedError, TrainingFailedError
from progtrain.predictions import read_predictions
from progtrain.reporting.final import leaderboard_of
from progtrain.steps.yardstick import hold_scores
from progtrain.workspace import Workspace

from .conftest import END, TOP, Attacked

PATCHES = """
import progtrain.evaluation.asking.decoding
import progtrain.evaluation.scoring.measuring
import progtrain.evaluation.scoring.by_torchmetrics
import progtrain.evaluation.scoring.metrics
import progtrain.evaluation.yardstick.protocol
import progtrain.evaluation.run
import torchmetrics

torchmetrics.Metric.compute = torchmetrics.Metric.forward = lambda *args, **kwargs: torch.tensor(1.0)
torchmetrics.Metric.__call__ = lambda *args, **kwargs: torch.tensor(1.0)
progtrain.evaluation.scoring.by_torchmetrics.as_number = lambda result: 1.0
progtrain.evaluation.scoring.measuring.as_number = lambda result: 1.0
progtrain.evaluation.scoring.metrics.of_all = lambda *args: 1.0
progtrain.evaluation.scoring.measuring.value_of = lambda measure, predictions: 1.0
progtrain.evaluation.scoring.measuring.mean_loss = progtrain.evaluation.asking.decoding.mean_loss = lambda *args: 0.0
progtrain.evaluation.run.hold_protocol = lambda *args: None
progtrain.evaluation.run.hold_data = lambda *args: None
progtrain.evaluation.yardstick.protocol.verify = lambda *args: None
"""


def test_an_honest_copy_scores_as_its_parent(attacked: Attacked) -> None:
    attacked.script()
    attacked.train()
    attacked.assert_as_honest(attacked.evaluate())


def test_patched_metrics_and_checks_change_nothing(attacked: Attacked) -> None:
    attacked.script((TOP, TOP + PATCHES))
    attacked.with_honest_weights()
    attacked.assert_as_honest(attacked.evaluate())


def test_patched_checks_do_not_let_a_smaller_set_through(attacked: Attacked) -> None:
    easy = 'train, valid = rows("train"), torch.utils.data.Subset(rows("valid"), range(5))'
    attacked.script((TOP, TOP + PATCHES), ('train, valid = rows("train"), rows("valid")', easy))
    attacked.with_honest_weights()
    with pytest.raises(EvaluationError, match="the number of validation samples: expected 32, got 5"):
        attacked.evaluate()


def test_logged_metrics_do_not_count(attacked: Attacked) -> None:
    logged = 'self.log("val_loss", F.cross_entropy(self(x), y))'
    attacked.script(
        (logged, 'self.log("val_loss", 0.0)\n        self.log("val_acc", 1.0)\n        self.log("f1", 1.0)')
    )
    attacked.train()
    attacked.assert_as_honest(attacked.evaluate())


def test_another_training_loss_is_measured_by_the_locked_one(attacked: Attacked) -> None:
    honest = "        return F.cross_entropy(self(x), y)\n"
    attacked.script((honest, "        return 1e-6 * F.cross_entropy(self(x), y)\n"))
    attacked.train()
    measured = attacked.evaluate().metric("loss")
    predictions = read_predictions(attacked.home("v002") / "predictions.npz")
    expected = functional.cross_entropy(torch.from_numpy(predictions.outputs), torch.from_numpy(predictions.targets))
    assert measured is not None
    assert measured.value == pytest.approx(expected.item(), rel=1e-5)
    assert measured.value > 0.1


@pytest.mark.parametrize("written", ["eval_score.json", "infer_samples"])
def test_outputs_of_the_evaluation_are_not_the_trainings_to_write(attacked: Attacked, written: str) -> None:
    attacked.script((END, END + f'    (ARTIFACT_DIR / "{written}").write_text("{{}}")\n'))
    with pytest.raises(TrainingFailedError, match=f"must not write {written}"):
        attacked.train()
    assert not (attacked.home("v002") / written).exists()


def test_a_forged_record_of_an_evaluation_is_taken_away(attacked: Attacked) -> None:
    forged = '    Path(".progtrain/v002/evaluate.json").write_text(Path(".progtrain/v001/evaluate.json").read_text())\n'
    attacked.script((END, END + forged))
    with pytest.raises(ProtocolChangedError, match=r"\.progtrain/v002/evaluate\.json"):
        attacked.train()
    assert not (attacked.root / ".progtrain/v002/evaluate.json").exists()
    assert not (attacked.root / ".progtrain/v002/train.json").exists()


def test_the_score_of_another_version_is_put_back(attacked: Attacked) -> None:
    spoilt = '    Path("Models/Artifacts/v001/eval_score.json").write_text("{}")\n'
    attacked.script((END, END + spoilt))
    before = attacked.score("v001")
    with pytest.raises(ProtocolChangedError, match=r"Models/Artifacts/v001/eval_score\.json"):
        attacked.train()
    assert attacked.score("v001") == before


def test_a_score_changed_later_is_not_ranked(attacked: Attacked) -> None:
    path = attacked.home("v001") / "eval_score.json"
    score = attacked.score("v001")
    perfect = tuple(metric.model_copy(update={"value": 1.0}) for metric in score.metrics)
    path.write_text(score.model_copy(update={"metrics": perfect}).model_dump_json())
    with pytest.raises(ProtocolChangedError, match=r"v001/eval_score\.json does not say what was measured"):
        hold_scores(attacked.context())
    path.write_text(score.model_copy(update={"latency_ms": 9.0}).model_dump_json())  # measured again by hand
    hold_scores(attacked.context())
    assert leaderboard_of(Workspace(attacked.root)).best == "v001"


def test_a_script_that_ends_the_evaluation_leaves_no_score(attacked: Attacked) -> None:
    leaves = TOP + 'import os, sys\n\nif "progtrain.evaluation.asking.answering" in sys.modules:\n    os._exit(0)\n'
    attacked.script((TOP, leaves))
    attacked.with_honest_weights()
    with pytest.raises(EvaluationError, match="ended before every sample was answered"):
        attacked.evaluate()
    assert not (attacked.home("v002") / "eval_score.json").exists()


def test_code_in_a_checkpoint_does_not_run(attacked: Attacked) -> None:
    trap = """    class Trap:
        def __reduce__(self):
            return (exec, ("open('sprung', 'w').close()",))

    checkpoint = torch.load(ARTIFACT_DIR / "best.ckpt", weights_only=True)
    torch.save({**checkpoint, "trap": Trap()}, ARTIFACT_DIR / "best.ckpt")
"""
    attacked.script((END, END + trap))
    attacked.train()
    attacked.assert_as_honest(attacked.evaluate())
    assert not list(attacked.root.rglob("sprung"))


def test_targets_are_the_locked_ones(attacked: Attacked) -> None:
    flattering = (
        "    net = Net()\n    valid = TensorDataset(valid.tensors[0], net(valid.tensors[0]).argmax(1).detach())\n"
        "    trainer.fit(net, DataLoader(train"
    )
    attacked.script(("    trainer.fit(Net(), DataLoader(train", flattering))
    attacked.with_honest_weights()
    with pytest.raises(EvaluationError, match="the validation set"):
        attacked.evaluate()
    arrays = np.load(attacked.root / "dataset/prepdata/v1/valid/rows.npz")
    kept = read_predictions(attacked.home("v001") / "predictions.npz")
    assert kept.targets.tolist() == arrays["y"].tolist()
