"""Workspaces in which v001 counts as measured, without a training: what a model from elsewhere is compared by."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from progtrain.evaluation.external.inputs import write_inputs
from progtrain.evaluation.yardstick.protocol import hold_protocol, protocol_of
from progtrain.predictions import FILE_NAME, Predictions
from progtrain.rules import read_rules
from progtrain.workspace import Workspace

EVAL = """
import torch.nn.functional as F

def predict(model, inputs):
    return model(inputs)

def loss(outputs, targets):
    return F.{loss}(outputs, targets)
"""


def classified(targets: list[int], classes: int = 3) -> Predictions:
    """Locked predictions of a classifier that always answers the first class."""
    count = len(targets)
    ids = np.array([f"s{index}" for index in range(count)])
    scores = np.zeros((count, classes), np.float32)
    return Predictions(ids, np.array(targets), scores, np.zeros(count, np.int64), np.ones(count, np.float32))


@pytest.fixture
def make_workspace(tmp_path: Path) -> Callable[..., Workspace]:
    def make(
        locked: Predictions, inputs: list, task: str, metrics: dict[str, bool], loss: str = "cross_entropy", **stats
    ) -> Workspace:
        workspace = Workspace(tmp_path)
        prepdata = tmp_path / "dataset" / "prepdata" / "v1"
        (prepdata / "valid").mkdir(parents=True)
        (prepdata / "stats.json").write_text(json.dumps({"task_type": task, "num_train": 1, **stats}))
        lines = [
            json.dumps({"sample_id": str(sample_id), "input": value})
            for sample_id, value in zip(locked.sample_ids, inputs, strict=True)
        ]
        (prepdata / "valid" / "valid.jsonl").write_text("\n".join(lines) + "\n")
        (tmp_path / "user_defined_rules.json").write_text(
            json.dumps({"eval_config": {"primary_metric": next(iter(metrics))}})
        )
        workspace.eval_script.write_text(EVAL.format(loss=loss))
        workspace.artifacts("v001").mkdir(parents=True)
        locked.write(workspace.artifacts("v001") / FILE_NAME)
        hold_protocol(workspace, protocol_of(workspace, read_rules(tmp_path), "v1", task, metrics, locked, 64))
        write_inputs(workspace)
        return workspace

    return make
