"""Measuring models from elsewhere as the report does: as jobs, each at its own risk."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
import pytest

from progtrain.evaluation.yardstick.protocol import hold_protocol, protocol_of
from progtrain.loop import opened
from progtrain.predictions import FILE_NAME, Predictions
from progtrain.rules import read_rules
from progtrain.step_records import ExternalRecord
from progtrain.steps.context import Context
from progtrain.steps.external import measure_external
from progtrain.workspace import Workspace

EVAL = """
import torch.nn.functional as F

def predict(model, inputs):
    return model(inputs)

def loss(outputs, targets):
    return F.mse_loss(outputs, targets)
"""
RIGHT = "def predict(inputs):\n    return [2 * value for value in inputs]\n"


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Context]:
    """Of a workspace whose validation samples are 1, 2, 3 with the targets 2, 4, 6."""
    tmp_path = tmp_path_factory.mktemp("elsewhere")
    prepdata = tmp_path / "dataset" / "prepdata" / "v1"
    (prepdata / "valid").mkdir(parents=True)
    (prepdata / "stats.json").write_text('{"task_type": "regression", "num_train": 1}')
    lines = (json.dumps({"sample_id": str(value), "input": value}) for value in (1, 2, 3))
    (prepdata / "valid" / "valid.jsonl").write_text("\n".join(lines))
    (tmp_path / "user_defined_rules.json").write_text('{"eval_config": {"primary_metric": "mae"}}')
    workspace, targets = Workspace(tmp_path), np.array([2, 4, 6], np.float32)
    locked = Predictions(np.array(["1", "2", "3"]), targets, targets, targets, targets)
    workspace.eval_script.write_text(EVAL)
    workspace.artifacts("v001").mkdir(parents=True)
    locked.write(workspace.artifacts("v001") / FILE_NAME)
    directions = {"mae": False, "loss": False}
    hold_protocol(workspace, protocol_of(workspace, read_rules(tmp_path), "v1", "regression", directions, locked, 64))
    with opened(tmp_path) as context:
        yield context


def add(context: Context, name: str, source: str) -> None:
    folder = context.workspace.external / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "inference_sample.py").write_text(source)


def record_of(context: Context, name: str) -> ExternalRecord:
    record = context.workspace.read_record(ExternalRecord, f"external/{name}")
    assert record is not None
    return record


def test_each_model_is_measured_at_its_own_risk_and_again_only_where_it_changed(context: Context) -> None:
    add(context, "right", RIGHT)
    add(context, "wrong", "def predict(inputs):\n    return ['far' for _ in inputs]\n")
    measure_external(context)
    right, wrong = record_of(context, "right"), record_of(context, "wrong")
    assert right.measured is not None
    values = {metric.name: metric.value for metric in right.measured.score.metrics}
    assert values == {"mae": 0.0, "loss": 0.0}
    assert wrong.measured is None
    assert 'Expected numbers as an answer, got "far"' in str(wrong.reason)

    add(context, "wrong", RIGHT.replace("2 *", "3 *"))
    measure_external(context)
    assert record_of(context, "right") == right
    mended = record_of(context, "wrong").measured
    assert mended is not None
    assert {metric.name: metric.value for metric in mended.score.metrics}["mae"] == pytest.approx(2.0)


def test_a_model_that_never_answers_is_ended(context: Context) -> None:
    add(context, "slow", "import time\n\ndef predict(inputs):\n    time.sleep(3600)\n")
    measure_external(context, time_limit=2.0)
    record = record_of(context, "slow")
    assert record.measured is None
    assert "its time limit" in str(record.reason)


def test_without_inputs_a_model_has_the_reason(context: Context) -> None:
    listing = context.workspace.prepdata("v1") / "valid" / "valid.jsonl"
    whole = listing.read_text()
    listing.write_text('{"sample_id": "1", "input": 1}')
    add(context, "late", RIGHT)
    measure_external(context)
    listing.write_text(whole)
    record = record_of(context, "late")
    assert record.measured is None
    assert "Expected the inputs of 3 validation samples, got 1" in str(record.reason)
