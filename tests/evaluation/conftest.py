import json

import numpy as np
import pytest
import torch

from progtrain.evaluation.asking.isolation import apart, one_thread
from progtrain.evaluation.asking.snapshots import snapshot_of
from progtrain.evaluation.writing.observation import Observation
from progtrain.evaluation.writing.observe import observe_version
from progtrain.evaluation.writing.script import render_eval_script
from progtrain.predictions import Predictions
from progtrain.rules import read_rules
from progtrain.step_records import LoopRecord
from progtrain.tasks import task_of


def write_eval_script(workspace):
    """03_eval.py as Step 0 writes it for v001, observed in a process apart.

    Returns:
        What was observed.
    """
    loop = workspace.read_record(LoopRecord, "loop")
    with one_thread():
        (sent,) = apart(
            lambda send: send(observe_version(workspace, "v001", task_of(loop.task_type)).model_dump_json())
        )
        seen = Observation.model_validate(json.loads(sent))
        snapshot = snapshot_of(workspace, "v001")
    prepdata = workspace.prepdata(loop.dataset_id)
    script = render_eval_script(read_rules(workspace.root), prepdata, loop.task_type, snapshot, seen)
    workspace.eval_script.write_text(script)
    return seen


def _softmax_loss(scores, targets):
    shifted = scores - scores.max(axis=1, keepdims=True)
    return np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(targets)), targets]


@pytest.fixture
def classified():
    """Make predictions of a classifier that is right more often the greater its skill."""

    def make(count=400, classes=5, skill=1.0, seed=0):
        targets = np.random.default_rng(7).integers(0, classes, count)
        noise = np.random.default_rng(seed).normal(size=(count, classes))
        scores = (noise + skill * np.eye(classes)[targets]).astype(np.float32)
        ids = np.array([str(index) for index in range(count)])
        return Predictions(ids, targets, scores, scores.argmax(axis=1), _softmax_loss(scores, targets))

    return make


@pytest.fixture
def regressed():
    """Make predictions of a regression with errors of a given size."""

    def make(count=400, error=1.0, seed=0):
        targets = (5 + np.random.default_rng(7).normal(size=count)).astype(np.float32)
        outputs = (targets + error * np.random.default_rng(seed).normal(size=count)).astype(np.float32)
        ids = np.array([str(index) for index in range(count)])
        return Predictions(ids, targets, outputs, outputs, (outputs - targets) ** 2)

    return make


@pytest.fixture(autouse=True)
def _one_thread():
    """A process forked after torch used several threads, as trainings in the test's own process do, would hang."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
