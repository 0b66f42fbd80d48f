"""The yardstick is locked before anything is trained, and what moves it is refused by name."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from progtrain.errors import EvaluationError, ProtocolChangedError
from progtrain.evaluation.yardstick.protocol import read_protocol
from progtrain.steps import initialize
from progtrain.workspace import Workspace

from .conftest import END, Attacked

VALID = Path("dataset/prepdata/v1/valid/rows.npz")
LOADERS = 'train, valid = rows("train"), rows("valid")'


@pytest.mark.parametrize(
    ("valid", "named"),
    [
        ('torch.utils.data.Subset(rows("valid"), range(16))', "the number of validation samples: expected 32, got 16"),
        ('TensorDataset(*(t.flip(0) for t in rows("valid").tensors))', "the validation set"),
        (
            'torch.utils.data.ConcatDataset([rows("valid")] * 2)',
            "the number of validation samples: expected 32, got 64",
        ),
        ('rows("train")', "the number of validation samples: expected 32, got 64"),
    ],
    ids=["smaller", "reordered", "repeated", "training set"],
)
def test_another_validation_loader(attacked: Attacked, valid: str, named: str) -> None:
    attacked.script((LOADERS, f'train, valid = rows("train"), {valid}'))
    attacked.with_honest_weights()
    with pytest.raises(EvaluationError, match=named):
        attacked.evaluate()
    assert not (attacked.home("v002") / "eval_score.json").exists()


def _append(path: str) -> Callable[[Path], object]:
    def append(root: Path) -> None:
        before = (root / path).read_text() if (root / path).exists() else ""
        (root / path).write_text(before + "\n")

    return append


def _same_size_and_time(root: Path) -> None:
    """Other targets, under the old size and the old modification time."""
    path, before = root / VALID, (root / VALID).stat()
    arrays = np.load(path)
    np.savez(path, x=arrays["x"], y=np.zeros_like(arrays["y"]))
    assert path.stat().st_size == before.st_size
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (_append("03_eval.py"), "03_eval.py: expected"),
        (_append("metrics.py"), "metrics.py: expected none"),
        (_append("dataset/prepdata/v1/stats.json"), "stats.json: expected"),
        (_same_size_and_time, "valid/rows.npz: expected"),
        (lambda root: (root / VALID).unlink(), "valid/rows.npz: No such file"),
        (lambda root: (root / "torchmetrics.py").write_text(""), "torchmetrics.py would be imported"),
    ],
    ids=["03_eval", "metrics", "stats", "data", "data gone", "shadow"],
)
def test_a_changed_yardstick_is_refused(attacked: Attacked, change: Callable[[Path], object], named: str) -> None:
    attacked.script()
    attacked.with_honest_weights()
    change(attacked.root)
    with pytest.raises(ProtocolChangedError, match=named):
        attacked.evaluate()
    with pytest.raises(ProtocolChangedError, match=named):
        initialize(attacked.context())
    assert attacked.score("v001").num_samples == 32


@pytest.mark.parametrize("name", ["03_eval.py", "user_defined_rules.json", "02_train_v001.py"])
def test_a_training_that_edits_what_is_the_users_is_told_of(attacked: Attacked, name: str) -> None:
    attacked.script((END, END + f'    Path("{name}").write_text(Path("{name}").read_text() + "\\n")\n'))
    with pytest.raises(ProtocolChangedError, match=f"no business with: {name}"):
        attacked.train()


def test_a_training_that_edits_the_lock_finds_it_put_back(attacked: Attacked) -> None:
    path = attacked.root / ".progtrain" / "protocol.json"
    before = path.read_bytes()
    attacked.script((END, END + '    Path(".progtrain/protocol.json").unlink()\n'))
    with pytest.raises(ProtocolChangedError, match=r"\.progtrain/protocol\.json"):
        attacked.train()
    assert path.read_bytes() == before


def test_what_no_version_was_measured_by_may_still_be_changed(attacked: Attacked) -> None:
    (attacked.root / ".progtrain/v001/evaluate.json").unlink()
    script = attacked.root / "03_eval.py"
    script.write_text(script.read_text() + "# mine\n")
    initialize(attacked.context())
    assert attacked.said == ["nothing has been measured yet: what changed of the evaluation is locked anew"]
    initialize(attacked.context())
    assert read_protocol(Workspace(attacked.root)) is not None
    assert len(attacked.said) == 1


@pytest.mark.parametrize(
    ("break_it", "named"),
    [
        (lambda root: (root / "03_eval.py").write_text("raise RuntimeError('no such metric')\n"), "no such metric"),
        (lambda root: _state_task(root, "telepathy"), "got 'telepathy'"),
    ],
    ids=["03_eval", "task_type"],
)
def test_what_cannot_measure_is_known_before_the_training(
    attacked: Attacked, break_it: Callable[[Path], object], named: str
) -> None:
    for record in ("protocol", "data_files", "loop", "v001/train", "v001/evaluate"):
        (attacked.root / ".progtrain" / f"{record}.json").unlink()
    break_it(attacked.root)
    with pytest.raises(EvaluationError, match=named):
        initialize(attacked.context())


def _state_task(root: Path, task_type: str) -> None:
    stats = root / "dataset/prepdata/v1/stats.json"
    stats.write_text(json.dumps({**json.loads(stats.read_text()), "task_type": task_type}))
