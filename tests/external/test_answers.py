from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from progtrain.errors import EvaluationError
from progtrain.evaluation.external.answers import predictions_from
from progtrain.predictions import IGNORED, Predictions

from .conftest import classified

NAMES = ("cat", "dog", "eel")


def cross_entropy(outputs, targets):
    return F.cross_entropy(outputs, targets)


@pytest.mark.parametrize(
    "answers",
    [
        [0, 2, 1],
        [0.0, 2.0, 1.0],
        [[0], [2], [1]],
        ["cat", "eel", "dog"],
        ["0", "2", "1"],
        ["loading …\n0", "2\n", "eel?\n1"],
        [{"answer": 0}, {"label": "eel"}, {"answer": 1, "other": 5}],
        [[0.8, 0.1, 0.1], [0.2, 0.2, 0.6], [0.0, 1.0, 0.0]],
        ["[0.8, 0.1, 0.1]", "[0.2, 0.2, 0.6]", "[0, 1, 0]"],
        [{"probabilities": [0.8, 0.1, 0.1]}, {"scores": [2, 2, 6]}, {"scores": [0, 1, 0]}],
        [[-1.0, -2.0, -3.0], [0.0, 1.0, 5.0], [3.0, 9.0, -4.0]],
    ],
)
def test_a_class_is_understood_however_it_is_said(answers):
    found = predictions_from(answers, classified([0, 2, 2]), "classification", cross_entropy, NAMES)
    assert found.answers.tolist() == [0, 2, 1]
    assert found.targets.tolist() == [0, 2, 2]
    assert found.sample_ids.tolist() == ["s0", "s1", "s2"]


def test_probabilities_have_the_loss_that_cross_entropy_gives_them():
    answers = [[0.8, 0.1, 0.1], [0.2, 0.2, 0.6], [0.25, 0.5, 0.25]]
    found = predictions_from(answers, classified([0, 2, 2]), "classification", cross_entropy, ())
    np.testing.assert_allclose(found.losses, -np.log([0.8, 0.6, 0.25]), rtol=1e-5)


def test_scores_are_taken_as_they_are():
    answers = [[3.0, 1.0, -1.0], [0.0, 1.0, 5.0], [3.0, 9.0, -4.0]]
    found = predictions_from(answers, classified([0, 2, 2]), "classification", cross_entropy, ())
    expected = F.cross_entropy(torch.tensor(answers), torch.tensor([0, 2, 2]), reduction="none")
    np.testing.assert_allclose(found.losses, expected.numpy(), rtol=1e-5)


def test_classes_alone_have_neither_scores_nor_losses():
    found = predictions_from([0, 1, 2], classified([0, 2, 2]), "classification", cross_entropy, ())
    assert found.outputs.shape == (3, 3)
    assert np.isnan(found.outputs).all()
    assert np.isnan(found.losses).all()


@pytest.mark.parametrize("answers", [[3, 0, 0], ["bat", "cat", "cat"], [[0.5, 0.5], [1, 0], [0, 1]], [None, 0, 0]])
def test_what_is_no_class_is_refused_with_what_was_expected(answers):
    with pytest.raises(EvaluationError, match="Expected a class as an answer, from 0 to 2"):
        predictions_from(answers, classified([0, 2, 2]), "classification", cross_entropy, NAMES)


def single(targets) -> Predictions:
    """Of a classifier with one score, as for binary cross entropy."""
    count = len(targets)
    zeros = np.zeros(count, np.float32)
    ids = np.array([str(index) for index in range(count)])
    return Predictions(ids, np.array(targets), zeros, zeros.astype(np.int64), zeros)


@pytest.mark.parametrize("answers", [[0.9, 0.2, 0.51], [[0.1, 0.9], [0.8, 0.2], [0.49, 0.51]]])
def test_two_classes_by_one_probability(answers):
    def loss(outputs, targets):
        return F.binary_cross_entropy_with_logits(outputs, targets.float())

    found = predictions_from(answers, single([1, 0, 0]), "classification", loss, ())
    assert found.answers.tolist() == [1, 0, 1]
    np.testing.assert_allclose(found.losses, -np.log([0.9, 0.8, 0.49]), rtol=1e-3)


def test_values_and_forecasts_take_the_shape_of_their_targets():
    targets = np.array([1.0, 2.0, 4.0], np.float32)
    locked = Predictions(np.array(["a", "b", "c"]), targets, targets, targets, targets)
    for answers in ([1.5, 2, 3], [[1.5], [2], [3]], ["1.5", "done\n2", "3"]):
        found = predictions_from(answers, locked, "regression", F.mse_loss, ())
        assert found.answers.tolist() == [1.5, 2.0, 3.0]
        assert found.losses.tolist() == [0.25, 0.0, 1.0]
    series = np.zeros((2, 3), np.float32)
    several = Predictions(np.array(["a", "b"]), series, series, series, np.zeros(2, np.float32))
    found = predictions_from([[1, 2, 3], [[4], [5], [6]]], several, "forecasting", F.mse_loss, ())
    assert found.answers.tolist() == [[1, 2, 3], [4, 5, 6]]
    with pytest.raises(EvaluationError, match=r"Expected an answer of shape \[3\]"):
        predictions_from([[1, 2], [3, 4]], several, "forecasting", F.mse_loss, ())


def test_texts_stay_texts():
    texts = np.array(["007", "no"])
    locked = Predictions(np.array(["a", "b"]), texts, np.zeros((2, 0)), texts, np.zeros(2))
    found = predictions_from(["007", {"text": "né\nin"}], locked, "transcription", cross_entropy, ())
    assert found.answers.tolist() == ["007", "né\nin"]
    with pytest.raises(EvaluationError, match="Expected a text as an answer, got 7"):
        predictions_from([7, "no"], locked, "transcription", cross_entropy, ())


def test_labels_by_name_by_yes_and_no_and_by_probability():
    targets = np.array([[1, 0, 1], [0, 0, 0]])
    zeros = np.zeros((2, 3), np.float32)
    locked = Predictions(np.array(["a", "b"]), targets, zeros, targets, np.zeros(2))

    def loss(outputs, targets):
        return F.binary_cross_entropy_with_logits(outputs, targets.float())

    for answers in ([["cat", "eel"], []], [[1, 0, 1], [0, 0, 0]], [[0.9, 0.1, 0.6], [0.3, 0.2, 0.1]]):
        found = predictions_from(answers, locked, "multilabel-classification", loss, NAMES)
        assert found.answers.tolist() == targets.tolist()
    assert found.losses[1] == pytest.approx(-np.log([0.7, 0.8, 0.9]).mean(), rel=1e-3)


def test_tokens_are_answered_where_they_count():
    targets = np.array([[1, 0, IGNORED], [2, 1, 0]])
    scores = np.zeros((2, 3, 3), np.float32)
    locked = Predictions(np.array(["a", "b"]), targets, scores, targets, np.zeros(2))
    found = predictions_from([[1, 2], ["eel", "dog", "cat"]], locked, "token-classification", cross_entropy, NAMES)
    assert found.answers.tolist() == [[1, 2, IGNORED], [2, 1, 0]]
    with pytest.raises(EvaluationError, match="Expected a class for each of 2 targets, got 1"):
        predictions_from([[1], [2, 1, 0]], locked, "token-classification", cross_entropy, NAMES)


def test_pixels_are_answered_as_a_picture():
    targets = np.array([[[0, 1], [1, 0]]])
    locked = Predictions(np.array(["a"]), targets, np.zeros((1, 2, 2, 2), np.float32), targets, np.zeros(1))
    found = predictions_from([[[0, 1], [1, 1]]], locked, "segmentation", cross_entropy, ())
    assert found.answers.tolist() == [[[0, 1], [1, 1]]]


def test_a_language_model_cannot_be_measured_from_outside():
    with pytest.raises(EvaluationError, match="got language-modelling"):
        predictions_from(["x"], classified([0]), "language-modelling", cross_entropy, ())
