import numpy as np
import pytest
import torch
from torch.nn import functional

from progtrain.errors import EvaluationError
from progtrain.evaluation.asking.decoding import answers_of, decode, fitted, mean_loss, predictions_of
from progtrain.evaluation.asking.inference import Asked
from progtrain.evaluation.yardstick.batches import Texts
from progtrain.predictions import IGNORED


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


def test_answers_that_do_not_fit_say_what_to_do():
    with pytest.raises(EvaluationError, match=r"shape \[2\], got \[2, 3\]"):
        answers_of(torch.zeros(2, 3), torch.zeros(2), "regression")


def test_an_empty_validation_set_is_refused():
    with pytest.raises(EvaluationError, match="empty validation loader"):
        predictions_of([], None)


def token_batch(length, seed):
    generator = torch.Generator().manual_seed(seed)
    outputs = torch.randn(2, length, 4, generator=generator)
    targets = torch.randint(4, (2, length), generator=generator)
    targets[1, length - 1] = IGNORED
    return Asked(outputs, outputs, targets)


@pytest.mark.parametrize("lengths", [(5, 5), (5, 3), (4, 4)])
def test_tokens_of_unequal_length_are_padded_and_the_padding_does_not_count(lengths):
    asked = [token_batch(length, seed) for seed, length in enumerate(lengths)]
    found = predictions_of([decode(batch, "token-classification", functional.cross_entropy) for batch in asked], None)
    longest = max(lengths)
    assert found.targets.shape == found.answers.shape == (4, longest)
    assert found.outputs.shape == (4, 4, longest)
    flat = [(batch.outputs.flatten(0, 1), batch.targets.flatten()) for batch in asked]
    outputs, targets = (torch.cat(parts) for parts in zip(*flat, strict=True))
    assert mean_loss(found, "token-classification") == pytest.approx(
        functional.cross_entropy(outputs, targets).item(), rel=1e-6
    )
    known = found.targets != IGNORED
    assert known.sum() == (targets != IGNORED).sum()
    accuracy = (outputs.argmax(1) == targets)[targets != IGNORED].float().mean().item()
    assert (found.answers == found.targets)[known].mean() == pytest.approx(accuracy)


def test_a_language_model_keeps_the_log_probability_of_every_target_alone():
    asked = token_batch(6, seed=3)
    found = predictions_of([decode(asked, "language-modelling", functional.cross_entropy)], None)
    assert found.outputs.shape == (2, 6)
    nats = -found.outputs[found.targets != IGNORED].mean()
    assert nats == pytest.approx(mean_loss(found, "language-modelling"), rel=1e-5)


@pytest.mark.parametrize("outputs", [(2, 3, 8, 8), (2, 8, 8, 3)])
@pytest.mark.parametrize("targets", [(2, 8, 8), (2, 1, 8, 8)])
def test_pixels_have_classes_in_either_layout(outputs, targets):
    scores, classes = fitted(torch.randn(outputs), torch.zeros(targets), "segmentation")
    assert (scores.shape, classes.shape) == ((2, 3, 8, 8), (2, 8, 8))


def test_labels_are_cut_at_a_half():
    served = torch.tensor([[0.2, 0.9], [0.6, 0.5]])
    assert answers_of(served, torch.zeros(2, 2), "multilabel-classification").tolist() == [[0, 1], [1, 0]]


def test_texts_keep_no_scores():
    targets = Texts(("ab", "c"), torch.tensor([[1, 2], [3, 0]]), torch.tensor([2, 1]))
    found = decode(Asked(torch.zeros(2, 7, 4), ("ab", ""), targets), "transcription", lambda o, t: o.mean() + 1)
    assert found.targets.tolist() == ["ab", "c"]
    assert found.answers.tolist() == ["ab", ""]
    assert found.outputs.shape == (2, 0)
    assert found.losses.tolist() == [1.0, 1.0]


def test_a_loss_that_couples_samples_keeps_its_value_of_the_batch():
    """Class weights: each sample alone has its plain loss, whose mean is another number than the batch's."""
    outputs, targets = torch.randn(6, 3), torch.tensor([0, 1, 2, 0, 0, 1])
    weights = torch.tensor([1.0, 5.0, 0.5])

    def weighted(scores, classes):
        return functional.cross_entropy(scores, classes, weight=weights)

    found = decode(Asked(outputs, outputs.argmax(1), targets), "classification", weighted)
    plain = functional.cross_entropy(outputs, targets, reduction="none").numpy()
    assert found.losses.mean() == pytest.approx(float(weighted(outputs, targets)), rel=1e-5)
    assert np.diff(found.losses - plain) == pytest.approx(np.zeros(5), abs=1e-6)


def test_a_loss_that_is_left_open_is_no_number():
    def unstated(outputs, targets):
        raise NotImplementedError("state it")

    found = decode(Asked(torch.zeros(2, 1), torch.zeros(2, 1), torch.zeros(2)), "regression", unstated)
    assert np.isnan(found.losses).all()


@pytest.mark.parametrize(
    ("served", "targets", "task"),
    [
        (("a",), torch.zeros(1), "classification"),
        (torch.zeros(1), Texts(("a",)), "transcription"),
        (("a", "b"), Texts(("a",)), "transcription"),
    ],
)
def test_texts_and_numbers_are_not_mixed(served, targets, task):
    with pytest.raises(EvaluationError, match=r"predict\(\) of 03_eval.py|predict\(\)"):
        decode(Asked(torch.zeros(1, 2), served, targets), task, functional.mse_loss)
