import lightning.pytorch as pl
import pytest
import torch
from torch import nn

from progtrain.errors import EvaluationError
from progtrain.evaluation.batches import Batch
from progtrain.evaluation.inference import (
    answer_all,
    answers_of,
    fitted,
    forward,
    has_predict_step,
    latency_ms,
    predict_step,
)

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


def batches(*sizes):
    return [Batch(torch.randn(size, 3), torch.zeros(size, dtype=torch.long)) for size in sizes]


# A batch of two is the trap: `x, _ = inputs` would tear it apart without an error.
@pytest.mark.parametrize("kind", [Plain, UnpacksBatches, TakesInputs, GoesRound])
def test_raw_outputs_and_what_is_served(kind):
    model, data = kind().eval(), batches(2, 2, 1)
    answers = answer_all(model, data, serve, CPU)
    inputs = torch.cat([batch.inputs for batch in data])
    assert torch.allclose(answers.outputs, model.net(inputs), atol=1e-6)
    assert (
        answers_of(answers.served, answers.targets, "classification").tolist()
        == model.net(inputs).argmax(dim=1).tolist()
    )
    assert not answers.outputs.requires_grad


@pytest.mark.parametrize("kind", [Plain, UnpacksBatches])
def test_forward_runs_once_a_batch(kind):
    model = kind().eval()
    answer_all(model, batches(2, 2, 2), serve, CPU)
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
        answer_all(Plain(), batches(1), lambda model, inputs: "seven", CPU)


def test_an_empty_validation_set_is_refused():
    with pytest.raises(EvaluationError, match="empty validation loader"):
        answer_all(Plain(), [], serve, CPU)


@pytest.mark.parametrize(
    ("outputs", "targets", "task"),
    [((4, 1), (4,), "regression"), ((4,), (4, 1), "regression"), ((4, 1), (4, 1), "classification")],
)
def test_a_last_axis_of_one_never_broadcasts(outputs, targets, task):
    shapes = [tensor.shape for tensor in fitted(torch.zeros(outputs), torch.zeros(targets), task)]
    assert shapes == [(4,), (4,)]


@pytest.mark.parametrize(
    ("outputs", "targets", "task"), [((4, 3), (4,), "regression"), ((4, 3), (4, 2), "classification")]
)
def test_outputs_that_do_not_fit_are_refused(outputs, targets, task):
    with pytest.raises(EvaluationError, match="outputs that fit targets"):
        fitted(torch.zeros(outputs), torch.zeros(targets), task)


def test_probabilities_of_the_second_class_are_cut_at_a_half():
    assert answers_of(torch.tensor([[0.4], [0.6]]), torch.tensor([0, 0]), "classification").tolist() == [0, 1]


def test_latency_is_measured_on_one_sample():
    model = Plain().eval()
    assert latency_ms(model, batches(1)[0], serve, CPU) > 0
    assert model.calls >= 30


def test_answers_that_do_not_fit_say_what_to_do():
    with pytest.raises(EvaluationError, match=r"shape \[2\], got \[2, 3\]"):
        answers_of(torch.zeros(2, 3), torch.zeros(2), "regression")
