"""What a user gets wrong is one message that says what was expected, what was found, and what to do."""

import json
from pathlib import Path

import pytest

from .conftest import Run


@pytest.mark.parametrize(
    ("rules", "named"),
    [
        ('{"loop_config": {"max_version": 3}}', "max_versions"),
        ('{"loop_config": {"max_versions": "many"}}', "max_versions"),
        ("{", "not JSON"),
        ('{"dataset_config": {"dataset_id": "../secret"}}', "dataset_id"),
        ('{"dataset_config": {"dataset_id": "v9"}}', "v1"),
        ("{}", "--dataset-id"),
        ('{"constraints": {"forbid": ["wident"]}}', "'widen'"),
    ],
)
def test_rules_that_mean_nothing(workspace: Path, progtrain: Run, rules: str, named: str) -> None:
    (workspace / "user_defined_rules.json").write_text(rules)
    ended = progtrain("run", workspace)
    assert ended.returncode == 2
    assert named in ended.stderr
    assert "Traceback" not in ended.stderr + ended.stdout


def test_script_that_the_rules_forbid_is_not_trained(workspace: Path, progtrain: Run) -> None:
    rules = json.loads((workspace / "user_defined_rules.json").read_text())
    rules |= {"training_config": {"optimizer": "Adam"}, "constraints": {"max_parameters": 100}}
    (workspace / "user_defined_rules.json").write_text(json.dumps(rules))
    ended = progtrain("run", workspace)
    assert ended.returncode == 2
    assert "training_config.optimizer asks for optimizer Adam, the script trains with SGD" in ended.stderr
    assert "constraints.max_parameters allows 100" in ended.stderr
    assert not (workspace / "Models" / "Artifacts" / "v001" / "best.ckpt").exists()


def test_no_script_to_begin_from(workspace: Path, progtrain: Run) -> None:
    (workspace / "02_train_baseline.py").unlink()
    ended = progtrain("run", workspace)
    assert ended.returncode == 2
    assert "02_train_baseline.py" in ended.stderr


@pytest.mark.parametrize(
    ("edit", "status", "named"),
    [
        (("import json\n", "import jason\n"), 1, "jason"),
        (("trainer.fit(", "print("), 1, "Trainer.fit"),
        (('DATASET_ID = "v1"', 'DATASET_ID = "v1'), 2, "line 15"),
    ],
)
def test_script_that_does_not_reach_fit(
    workspace: Path, progtrain: Run, edit: tuple[str, str], status: int, named: str
) -> None:
    script = workspace / "02_train_baseline.py"
    script.write_text(script.read_text().replace(*edit))
    ended = progtrain("run", workspace)
    assert ended.returncode == status
    assert named in ended.stderr
    assert "Traceback" not in ended.stderr


def test_script_that_fails_while_training_is_tried_as_often_as_the_rules_say(workspace: Path, progtrain: Run) -> None:
    script = workspace / "02_train_baseline.py"
    script.write_text(script.read_text().replace("    write_spec(model)\n", "    raise OSError('disk on fire')\n"))
    rules = json.loads((workspace / "user_defined_rules.json").read_text())
    rules["loop_config"]["max_train_attempts"] = 2
    (workspace / "user_defined_rules.json").write_text(json.dumps(rules))
    ended = progtrain("run", workspace)
    assert ended.returncode == 1
    assert "disk on fire" in ended.stderr
    report = (workspace / "Models/Artifacts/v001/_tests/train_retry_report.md").read_text()
    assert report.count("status: FAIL") == 2
    for field in ("attempt", "error_summary", "root_cause_hypothesis", "code_change_summary"):
        assert field in report


def test_another_data_set_in_mid_loop_is_refused(workspace: Path, progtrain: Run) -> None:
    assert progtrain("run", workspace, "--max-versions", "1").returncode == 0
    ended = progtrain("run", workspace, "--dataset-id", "v2")
    assert ended.returncode == 2
    assert "locked to data set 'v1'" in ended.stderr


def test_command_line_cannot_outbid_the_rules(workspace: Path, progtrain: Run) -> None:
    ended = progtrain("run", workspace, "--max-versions", "7")
    assert ended.returncode == 2
    assert "allow 2 versions" in ended.stderr
