import lightning.pytorch as pl
import pytest
import torch
from torch import nn
from torch.nn import functional

from progtrain.errors import EvaluationError
from progtrain.evaluation.asking.decoding import answers_of
from progtrain.evaluation.asking.inference import (
    ask,
    batch_first,
    forward,
    has_predict_step,
    latency_ms,
    predict_step,
)
from progtrain.evaluation.yardstick.batches import Batch
from progtrain.evaluation.yardstick.stated import Yardstick

CPU = torch.device("cpu")


class Plain(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.net = nn.Linear(3, 2)
        self.calls = 0

    def forward(self, x):
        self.calls += 1
        return self.net(x)


class UnpacksBatches(Plain):
    def predict_step(self, batch, batch_idx):
        x, _ = batch
        return self(x).softmax(dim=1)


class TakesInputs(Plain):
    def predict_step(self, batch, batch_idx):
        return self(batch).argmax(dim=1)


class GoesRound(Plain):
    def predict_step(self, batch, batch_idx):
        return self.net(batch[0]).argmax(dim=1)


class Several(nn.Module):
    def forward(self, a, b):
        return {"logits": a + b}


def serve(model, inputs):
    return predict_step(model, inputs) if has_predict_step(model) else forward(model, inputs).argmax(dim=1)


def asked_of(model, data, predict=serve):
    with torch.inference_mode():
        return list(ask(model, data, Yardstick("classification", {}, predict, functional.cross_entropy), CPU))


def batches(*sizes):
    return [Batch(torch.randn(size, 3), torch.zeros(size, dtype=torch.long)) for size in sizes]


# A batch of two is the trap: `x, _ = inputs` would tear it apart without an error.
@pytest.mark.parametrize("kind", [Plain, UnpacksBatches, TakesInputs, GoesRound])
def test_raw_outputs_and_what_is_served(kind):
    model, data = kind().eval(), batches(2, 2, 1)
    asked = asked_of(model, data)
    expected = model.net(torch.cat([batch.inputs for batch in data]))
    outputs = torch.cat([batch.outputs for batch in asked])
    assert torch.allclose(outputs, expected, atol=1e-6)
    served = [answers_of(batch.served, batch.targets, "classification") for batch in asked]
    assert torch.equal(torch.cat(served), expected.argmax(dim=1))
    assert not outputs.requires_grad


@pytest.mark.parametrize("kind", [Plain, UnpacksBatches])
def test_forward_runs_once_a_batch(kind):
    model = kind().eval()
    asked_of(model, batches(2, 2, 2))
    assert model.calls == 3


def test_only_a_predict_step_of_its_own_counts():
    assert not has_predict_step(Plain())
    assert has_predict_step(TakesInputs())
    assert not has_predict_step(nn.Linear(1, 1))


def test_inputs_by_position_and_by_name():
    a, b = torch.ones(2, 1), torch.full((2, 1), 2.0)
    assert forward(Several(), (a, b)).tolist() == [[3.0], [3.0]]
    assert forward(Several(), {"b": b, "a": a, "other": a}).tolist() == [[3.0], [3.0]]
    assert forward(nn.Identity(), {"features": a}).tolist() == [[1.0], [1.0]]


def test_an_answer_that_is_no_tensor_says_what_to_do():
    with pytest.raises(EvaluationError, match=r"got str. Say in predict\(\) of 03_eval.py"):
        asked_of(Plain(), batches(1), lambda model, inputs: "seven")


class TimeFirst(Plain):
    def forward(self, x):
        return self.net(x).transpose(0, 1)


@pytest.mark.parametrize("kind", [Plain, TimeFirst])
@pytest.mark.parametrize("count", [1, 2, 5])
def test_frames_are_told_from_samples(kind, count):
    frames = torch.randn(count, 5, 3)
    assert torch.equal(batch_first(kind(), frames)[0, :, 0].isfinite(), torch.ones(5, dtype=torch.bool))


def test_latency_is_measured_on_one_sample():
    model = Plain().eval()
    assert latency_ms(model, batches(1)[0], serve, CPU) > 0
    assert model.calls >= 30
