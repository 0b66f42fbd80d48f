"""Every rule can be asked of every task, and the scale of an error is the task's own."""

from dataclasses import replace

import numpy as np
import pytest

from progtrain.diagnosis import diagnose
from progtrain.diagnosis.trivial import share_of_trivial
from progtrain.predictions import IGNORED, Predictions

IDS = np.array([str(row) for row in range(40)])
ROWS = np.arange(40)


def predictions(targets, outputs, answers):
    return Predictions(IDS, targets, outputs, answers, np.ones(40))


def texts(right):
    truths = np.array(["abcde"] * 40)
    return predictions(truths, np.zeros((40, 0)), np.where(right > ROWS, truths, "abc"))


def sentences():
    targets = np.tile([0, 0, 0, 0, 1, IGNORED], (40, 1))
    return predictions(targets, np.zeros((40, 2, 6)), np.zeros((40, 6), np.int64))


def tags():
    targets = np.stack([ROWS % 2, ROWS % 20 == 0], axis=1).astype(np.int64)
    return predictions(targets, np.zeros((40, 2)), targets)


def numbers(scale):
    targets = np.stack([ROWS, ROWS[::-1]], axis=1).astype(np.float32)
    answers = targets + scale * (-1.0) ** ROWS[:, None]
    return predictions(targets, answers, answers)


CASES = {
    "ocr-recognition": texts(20),
    "token-classification": sentences(),
    "image-segmentation": predictions(np.zeros((40, 3, 3), np.int64), np.zeros((40, 2, 3, 3)), np.ones((40, 3, 3))),
    "multi-label": tags(),
    "time-series-forecasting": numbers(1.0),
    "text-generation": predictions(np.tile([0, 1, 2], (40, 1)), np.zeros((40, 3)), np.tile([0, 1, 1], (40, 1))),
}


@pytest.mark.parametrize("task_type", CASES)
@pytest.mark.parametrize("function", ["cross_entropy", "mse_loss"])
def test_every_rule_can_be_asked(task_type, function, make_evidence, make_snapshot):
    calls = (make_snapshot().calls[0].model_copy(update={"function": function}),)
    falling = [2.0 * 0.7**epoch for epoch in range(20)]
    evidence = make_evidence(falling, falling, task_type=task_type, predictions=CASES[task_type], calls=calls)
    diagnose(evidence)


def test_the_share_that_is_left_is_on_the_scale_of_the_task():
    assert share_of_trivial("transcription", texts(20), None) == pytest.approx(0.5 * 2 / 5)
    assert share_of_trivial("forecasting", numbers(0.0), None) == 0
    assert share_of_trivial("forecasting", numbers(5.0), None) == pytest.approx(25 / np.var(ROWS))
    assert share_of_trivial("token-classification", sentences(), np.log(2)) == pytest.approx(1)
    assert share_of_trivial("segmentation", CASES["image-segmentation"], None) is None
    assert share_of_trivial("language-modelling", CASES["text-generation"], np.log(3) / 2) == pytest.approx(0.5)


def test_rare_labels_are_guessed_by_their_frequency():
    often, seldom = np.log(2), -(0.05 * np.log(0.05) + 0.95 * np.log(0.95))
    assert share_of_trivial("multilabel-classification", tags(), (often + seldom) / 2) == pytest.approx(1)


def test_a_missing_number_counts_neither_way():
    whole = numbers(5.0)
    targets = whole.targets.copy()
    targets[3, 1] = np.nan
    found = share_of_trivial("forecasting", replace(whole, targets=targets), None)
    assert found == pytest.approx(25 / np.var(ROWS), rel=0.05)


def test_a_rare_class_of_tokens_is_found(make_evidence, find):
    finding = find(make_evidence(task_type="token-classification", predictions=sentences()), "imbalanced")
    assert finding is not None
    assert finding.numbers["count_ratio"] == 4.0


def test_a_skewed_forecast_is_found(make_evidence, find):
    targets = np.exp(np.linspace(0, 8, 40))[:, None].astype(np.float32)
    evidence = make_evidence(task_type="time-series-forecasting", predictions=predictions(targets, targets, targets))
    assert find(evidence, "skewed-target") is not None
