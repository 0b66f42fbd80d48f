import ast
import subprocess
import sys
from pathlib import Path

import pytest

from progtrain.errors import EvaluationError
from progtrain.evaluation.scoring.names import DEFAULT_METRICS
from progtrain.evaluation.writing.observation import Observation
from progtrain.evaluation.writing.script import render_eval_script
from progtrain.records import Call, Snapshot
from progtrain.rules import Rules


def snapshot(*calls):
    return Snapshot(
        optimizers=(),
        schedulers=(),
        max_epochs=1,
        max_steps=-1,
        gradient_clip_val=None,
        gradient_clip_algorithm=None,
        accumulate_grad_batches=1,
        precision="32-true",
        seed=42,
        train=None,
        valid=None,
        callbacks=(),
        checkpoints=(),
        loggers=(),
        layers=(),
        calls=calls,
        parameters=1,
        first_loss=None,
        batch=None,
    )


def rendered(task_type, seen=None, calls=(), **evaluation):
    seen = seen or Observation(step="validation_step", loss=("return F.cross_entropy(outputs, targets)",))
    return render_eval_script(Rules(eval_config=evaluation), PREPDATA, task_type, snapshot(*calls), seen)


PREPDATA = Path("dataset/prepdata/v1")
BY_HAND = Observation(
    step="validation_step",
    split=('return batch["x"], batch["y"]',),
    outputs=("return model.head(model(inputs))",),
    loss=("v1 = outputs.softmax(1)", "return -v1.log().mean()"),
    logged={"loss": "val_loss", "accuracy": "val_acc", "mae": "val_mae"},
    which="Of 2 validation loaders number 1 is measured.",
)


def stated(script, name):
    values = {n.targets[0].id: n.value for n in ast.parse(script).body if isinstance(n, ast.Assign)}
    return ast.literal_eval(values[name])


def test_what_was_seen_is_written():
    script = rendered("classification", BY_HAND)
    assert 'return batch["x"], batch["y"]' in script
    assert "@exportable\ndef outputs(" in script
    assert "    return outputs(model, inputs).argmax(dim=1)\n" in script
    assert "    v1 = outputs.softmax(1)\n    return -v1.log().mean()\n" in script
    assert "# Of 2 validation loaders number 1 is measured." in script
    assert stated(script, "LOGGED") == {"loss": "val_loss", "accuracy": "val_acc"}
    assert list(stated(script, "METRICS")) == [*DEFAULT_METRICS["classification"], "loss"]


@pytest.mark.parametrize(
    ("seen", "answer"),
    [
        ({}, "forward(model, inputs).argmax(dim=1)"),
        ({"single": True, "threshold": "0.5"}, "(forward(model, inputs) > 0.5).long()"),
        ({"single": True}, "(forward(model, inputs) > 0).long()"),
        ({"predict_step": True}, "predict_step(model, inputs)"),
    ],
)
def test_answers_follow_what_was_seen(seen, answer):
    observation = Observation(step="validation_step", loss=("return outputs.mean()",), **seen)
    assert f"    return {answer}\n" in rendered("classification", observation)


def test_metrics_with_primary_and_loss():
    script = rendered(
        "classification",
        primary_metric="f1_macro",
        metrics=["accuracy", {"name": "expected_cost", "higher_is_better": False}],
    )
    assert stated(script, "METRICS") == {"f1_macro": True, "accuracy": True, "expected_cost": False, "loss": False}


def test_a_loss_that_is_not_known_is_left_to_the_user_and_ranks_nothing():
    script = rendered("regression", Observation(step="validation_step", loss_reason="it needs the model"))
    assert 'raise NotImplementedError("it needs the model; state it in loss() of 03_eval.py")' in script
    assert list(stated(script, "METRICS")) == ["mae", "rmse", "r2"]


def test_a_function_that_has_to_be_written_says_why():
    script = rendered("regression", Observation(step="", lacking={"split": 'two "heads"', "predict": "two heads"}))
    assert script.count("raise NotImplementedError(\"two 'heads'\")") == 1
    assert script.count('raise NotImplementedError("two heads")') == 1


def test_ctc_is_decoded_and_measured_by_the_loss_of_the_first_step(tmp_path):
    (tmp_path / "stats.json").write_text('{"characters": "ab"}')
    call = Call(function="ctc_loss", arguments={"blank": 2, "zero_infinity": True}, shapes=((5, 2, 3),))
    seen = Observation(step="validation_step")
    script = render_eval_script(Rules(), tmp_path, "ocr-recognition", snapshot(call), seen)
    assert "return ctc_greedy(batch_first(model, inputs), VOCABULARY, blank=2)" in script
    assert "return ctc_loss(outputs, targets, blank=2, zero_infinity=True)" in script


def test_an_unknown_metric_is_refused_before_anything_is_trained():
    with pytest.raises(EvaluationError, match="acuracy"):
        rendered("classification", metrics=["acuracy"])


@pytest.mark.parametrize("seen", [None, BY_HAND, Observation(step="", lacking={"split": "none", "predict": "none"})])
def test_the_script_is_formatted(seen, tmp_path):
    path = tmp_path / "03_eval.py"
    path.write_text(rendered("classification", seen, metrics=["accuracy", "f1_macro"]))
    for check in (["format", "--check"], ["check", "--select", "E,F,I,D1"]):
        command = [sys.executable, "-m", "ruff", *check, "--line-length", "120", "--no-cache", "--isolated", str(path)]
        result = subprocess.run(command, capture_output=True, text=True)
        assert result.returncode == 0, result.stdout + result.stderr


def test_common_metrics_are_rendered_without_importing_torch():
    code = (
        "import sys, progtrain.evaluation.writing.script, progtrain.evaluation.scoring.comparison\n"
        "import progtrain.evaluation.yardstick.protocol\n"
        "from progtrain.evaluation.scoring.directions import direction\n"
        "direction('accuracy', 'classification'), direction('rmse', 'regression')\n"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
