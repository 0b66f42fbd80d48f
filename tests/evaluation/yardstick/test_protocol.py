from dataclasses import replace

import numpy as np
import pytest

from progtrain.errors import ProtocolChangedError
from progtrain.evaluation.yardstick.protocol import hold_protocol, protocol_of, read_protocol, sample_indices
from progtrain.rules import Rules
from progtrain.workspace import Workspace


@pytest.fixture
def workspace(tmp_path):
    (tmp_path / "03_eval.py").write_text("METRICS = {}\n")
    return Workspace(tmp_path)


def current(workspace, predictions, rules=None, dataset_id="v1", directions=None):
    directions = directions or {"accuracy": True, "loss": False}
    return protocol_of(workspace, rules or Rules(), dataset_id, "classification", directions, predictions, 64)


def test_samples_are_a_fixed_choice():
    chosen = sample_indices(42, 100, 10)
    assert chosen == sample_indices(42, 100, 10) == tuple(sorted(set(chosen)))
    assert chosen != sample_indices(43, 100, 10)
    assert sample_indices(42, 4, 10) == (0, 1, 2, 3)
    assert sample_indices(42, 4, 0) == ()


def test_the_first_evaluation_locks_and_the_same_one_passes(workspace, classified):
    assert read_protocol(workspace) is None
    hold_protocol(workspace, current(workspace, classified()))
    hold_protocol(workspace, current(workspace, classified(seed=5, skill=3.0)))
    assert read_protocol(workspace) == current(workspace, classified())


def altered_targets(predictions):
    targets = predictions.targets.copy()
    targets[[0, 1]] = 4, 4
    return replace(predictions, targets=targets)


def reordered(predictions):
    return replace(predictions, sample_ids=predictions.sample_ids[::-1].copy())


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda w, p: current(w, p, Rules(seed=1)), "`seed` in user_defined_rules.json: expected 42, got 1"),
        (lambda w, p: current(w, p, dataset_id="v2"), "the data set: expected v1, got v2"),
        (
            lambda w, p: current(w, p, directions={"accuracy": False}),
            r"METRICS in 03_eval.py: expected accuracy \(higher\)",
        ),
        (
            lambda w, p: current(w, p, Rules(eval_config={"primary_metric": "f1"})),
            "primary metric .*: expected loss, got f1",
        ),
        (lambda w, p: current(w, p, Rules(eval_config={"infer_samples": 3})), "the choice of infer_samples"),
        (lambda w, p: current(w, altered_targets(p)), "the validation set"),
        (lambda w, p: current(w, reordered(p)), "the validation set"),
    ],
)
def test_what_changed_is_named(workspace, classified, change, named):
    hold_protocol(workspace, current(workspace, classified()))
    with pytest.raises(ProtocolChangedError, match=named) as caught:
        hold_protocol(workspace, change(workspace, classified()))
    assert "Restore what changed, or begin a new workspace" in str(caught.value)


@pytest.mark.parametrize("name", ["03_eval.py", "metrics.py"])
def test_metric_code_may_not_change(workspace, classified, name):
    hold_protocol(workspace, current(workspace, classified()))
    (workspace.root / name).write_text("METRICS = {'f1': True}\n")
    with pytest.raises(ProtocolChangedError, match=f"{name}: expected"):
        hold_protocol(workspace, current(workspace, classified()))


def test_a_damaged_lock_is_not_locked_anew(workspace, classified):
    hold_protocol(workspace, current(workspace, classified()))
    workspace.record_path("protocol").write_text("{")
    with pytest.raises(ProtocolChangedError, match="cannot be read"):
        hold_protocol(workspace, current(workspace, classified()))


def test_answers_do_not_enter_the_fingerprint(workspace, classified):
    other = classified(seed=9, skill=4.0)
    assert current(workspace, classified()) == current(workspace, other)
    assert not np.array_equal(classified().answers, other.answers)
