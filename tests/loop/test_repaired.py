"""A baseline that fails in known ways is repaired: what is seen before a training there, what is not after one."""

import json
from pathlib import Path

import pytest

from .conftest import Run, hold_against_written_rules

RETRIES = "Models/Artifacts/v001/_tests/train_retry_report.md"
TRAINER = "trainer = L.Trainer("


@pytest.fixture
def one_version(workspace: Path) -> Path:
    path = workspace / "user_defined_rules.json"
    rules = json.loads(path.read_text())
    path.write_text(json.dumps({**rules, "loop_config": {"max_versions": 1}}))
    return workspace


def edit(root: Path, *pairs: tuple[str, str]) -> str:
    script = root / "02_train_baseline.py"
    source = script.read_text()
    for old, new in pairs:
        assert source.count(old) == 1, old
        source = source.replace(old, new)
    script.write_text(source)
    return source


def test_what_keeps_a_baseline_from_its_fit_is_repaired_before_a_training(one_version: Path, progtrain: Run) -> None:
    edit(
        one_version,
        ('accelerator="cpu",', 'accelerator="tpu_of_mine", gpus=1, weights_summary="top",'),
    )
    ended = progtrain("run", one_version)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    report = (one_version / "Models/Artifacts/baseline/_tests/baseline_patch_report.md").read_text()
    assert "removed_trainer_argument: gpus is left out; weights_summary is left out" in report
    assert 'accelerator_not_there: accelerator is "auto", in place of "tpu_of_mine"' in report
    assert not (one_version / RETRIES).exists()
    hold_against_written_rules(one_version)


def test_what_ends_a_training_is_repaired_after_one_attempt(one_version: Path, progtrain: Run) -> None:
    source = edit(one_version)
    line = next(each for each in source.splitlines() if each.strip().startswith("trainer.fit("))
    indent = line[: len(line) - len(line.lstrip())]
    edit(one_version, (line, f'{line}\n{indent}torch.save(torch.ones(2), "notes/ones.pt")'))
    ended = progtrain("run", one_version)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    first, second = (one_version / RETRIES).read_text().split("## attempt ")[1:]
    assert "root_cause_hypothesis: the script writes into a folder that is not there" in first
    assert "status: FAIL" in first
    assert "code_change_summary: folder_missing: notes is made before it is written to" in second
    assert "status: PASS" in second
    assert 'os.makedirs("notes", exist_ok=True)' in (one_version / "02_train_v001.py").read_text()
    hold_against_written_rules(one_version)


def test_what_nothing_known_repairs_is_trained_once(one_version: Path, progtrain: Run) -> None:
    source = edit(one_version)
    line = next(each for each in source.splitlines() if each.strip().startswith("trainer.fit("))
    indent = line[: len(line) - len(line.lstrip())]
    edit(one_version, (line, f'{line}\n{indent}raise ValueError("a fault of its own")'))
    ended = progtrain("run", one_version)
    assert ended.returncode == 1
    assert "v001 could not be trained in 1 attempt: ValueError: a fault of its own" in ended.stderr
    assert (one_version / RETRIES).read_text().count("## attempt") == 1
