from argparse import Namespace
from pathlib import Path

import pytest
import torch
from torch import nn

from progtrain.errors import EvaluationError
from progtrain.evaluation.asking.models import load_exported
from progtrain.script.capturing.checkpoints import restore_weights

BUILT = []


class Recorded:
    """A hyper-parameter that shows whether loading ran its code."""

    def __init__(self, width):
        self.width = width

    def __setstate__(self, state):
        BUILT.append(state)


def checkpoint(path, model, **hyper_parameters):
    torch.save({"state_dict": model.state_dict(), "hyper_parameters": hyper_parameters}, path)
    return path


def test_weights_are_loaded_and_the_model_evaluates(tmp_path):
    trained, fresh = nn.Sequential(nn.Linear(2, 2), nn.Dropout()), nn.Sequential(nn.Linear(2, 2), nn.Dropout())
    restore_weights(fresh, checkpoint(tmp_path / "best.ckpt", trained, lr=0.1))
    assert torch.equal(fresh[0].weight, trained[0].weight)
    assert not fresh.training


def test_objects_in_a_checkpoint_are_never_run(tmp_path):
    trained, fresh = nn.Linear(2, 2), nn.Linear(2, 2)
    values = {"config": Recorded(3), "args": Namespace(lr=0.1), "folder": Path("data")}
    restore_weights(fresh, checkpoint(tmp_path / "best.ckpt", trained, **values))
    assert torch.equal(fresh.weight, trained.weight)
    assert BUILT == []


def test_a_checkpoint_of_another_model_is_refused(tmp_path):
    with pytest.raises(EvaluationError, match="does not fit the model that its script builds"):
        restore_weights(nn.Linear(3, 2), checkpoint(tmp_path / "best.ckpt", nn.Linear(2, 2)))


def test_missing_torn_or_foreign_checkpoints_are_refused(tmp_path):
    path = tmp_path / "best.ckpt"
    with pytest.raises(EvaluationError, match="Train the version first"):
        restore_weights(nn.Linear(2, 2), path)
    checkpoint(path, nn.Linear(2, 2))
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(EvaluationError, match="not a whole checkpoint"):
        restore_weights(nn.Linear(2, 2), path)
    torch.save({"weights": 1}, path)
    with pytest.raises(EvaluationError, match="state_dict"):
        restore_weights(nn.Linear(2, 2), path)


def test_an_exported_model_answers_any_number_of_samples(tmp_path):
    model = nn.Linear(3, 2).eval()
    batch = {0: torch.export.Dim.AUTO}
    exported = torch.export.export(model, (torch.randn(4, 3),), dynamic_shapes=(batch,))
    (tmp_path / "data").mkdir()
    torch.export.save(exported, tmp_path / "data" / "model.pt2")
    for count in (1, 7):
        inputs = torch.randn(count, 3)
        assert torch.allclose(load_exported(tmp_path)(inputs), model(inputs))


def test_a_folder_without_one_exported_model_is_refused(tmp_path):
    with pytest.raises(EvaluationError, match="got 0"):
        load_exported(tmp_path)
    (tmp_path / "model.pt2").write_bytes(b"torn")
    with pytest.raises(EvaluationError, match="cannot be loaded"):
        load_exported(tmp_path)
