import ast
import subprocess
import sys
from pathlib import Path

import pytest

from progtrain.errors import EvaluationError
from progtrain.evaluation.scoring.names import DEFAULT_METRICS
from progtrain.evaluation.writing.script import render_eval_script
from progtrain.records import Call, Snapshot
from progtrain.rules import Rules
from progtrain.tasks import task_of


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


def call(function, shapes=((4, 3), (4,)), **arguments):
    return Call(function=function, arguments=arguments, shapes=shapes)


def rendered(task_type, *calls, **evaluation):
    return render_eval_script(Rules(eval_config=evaluation), PREPDATA, task_type, snapshot(*calls))


PREPDATA = Path("dataset/prepdata/v1")


def stated_metrics(script):
    assignment = next(n for n in ast.parse(script).body if isinstance(n, ast.Assign) and n.targets[0].id == "METRICS")
    return ast.literal_eval(assignment.value)


@pytest.mark.parametrize(
    ("task_type", "seen", "loss"),
    [
        ("classification", call("cross_entropy", reduction="mean"), "F.cross_entropy(outputs, targets)"),
        (
            "classification",
            call("torch.nn.functional.cross_entropy", label_smoothing=0.1, ignore_index=-100),
            "F.cross_entropy(outputs, targets, label_smoothing=0.1)",
        ),
        (
            "classification",
            call("binary_cross_entropy_with_logits"),
            "F.binary_cross_entropy_with_logits(outputs, targets.float())",
        ),
        ("regression", call("mse_loss", reduction="sum"), "F.mse_loss(outputs, targets)"),
        ("regression", call("huber_loss", delta=2.0), "F.huber_loss(outputs, targets, delta=2.0)"),
    ],
)
def test_the_loss_is_the_baselines(task_type, seen, loss):
    script = rendered(task_type, call("relu"), seen)
    assert f"    return {loss}\n" in script
    assert list(stated_metrics(script)) == [*DEFAULT_METRICS[task_of(task_type)], "loss"]


def test_class_weights_are_said_to_be_left_out():
    script = rendered("classification", call("cross_entropy", shapes=((4, 3), (4,), (3,))))
    assert "training loss of raw outputs without its weights" in script


@pytest.mark.parametrize(
    ("seen", "answer"),
    [
        ("cross_entropy", "forward(model, inputs).argmax(dim=1)"),
        ("binary_cross_entropy", "(forward(model, inputs) > 0.5).long()"),
        ("binary_cross_entropy_with_logits", "(forward(model, inputs) > 0).long()"),
    ],
)
def test_answers_follow_the_loss(seen, answer):
    assert f"    return {answer}\n" in rendered("classification", call(seen))


def test_metrics_with_primary_and_loss():
    script = rendered(
        "classification",
        call("cross_entropy"),
        primary_metric="f1_macro",
        metrics=["accuracy", {"name": "expected_cost", "higher_is_better": False}],
    )
    assert stated_metrics(script) == {"f1_macro": True, "accuracy": True, "expected_cost": False, "loss": False}


@pytest.mark.parametrize("calls", [(), (call("mse_loss"), call("l1_loss"))])
def test_an_unseen_loss_is_left_to_the_user(calls):
    script = rendered("regression", *calls, metrics=["mae"])
    assert "raise NotImplementedError(" in script
    assert stated_metrics(script) == {"mae": False}


def test_an_unknown_metric_is_refused_before_anything_is_trained():
    with pytest.raises(EvaluationError, match="acuracy"):
        rendered("classification", call("cross_entropy"), metrics=["acuracy"])


@pytest.mark.parametrize("calls", [(), (call("mse_loss"), call("l1_loss")), (call("cross_entropy"),)])
def test_the_script_is_formatted(calls, tmp_path):
    path = tmp_path / "03_eval.py"
    path.write_text(rendered("classification", *calls, metrics=["accuracy", "f1_macro"]))
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
