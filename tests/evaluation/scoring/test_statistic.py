"""Every vectorised metric is the metric itself, for every task."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from progtrain.evaluation.asking.decoding import mean_loss
from progtrain.evaluation.scoring.metrics import measure_for, value_of
from progtrain.evaluation.scoring.statistic import statistic_for
from progtrain.predictions import IGNORED, Predictions

NO_FILE = Path("there is no metrics.py")


def ids(count):
    return np.array([str(index) for index in range(count)])


def tokens(seed=0, count=40, length=7, classes=4):
    """Sentences of several lengths, the rest ignored; the last class occurs in no truth."""
    random = np.random.default_rng(seed)
    targets = random.integers(0, classes - 1, (count, length))
    targets[np.arange(length) >= random.integers(1, length + 1, count)[:, None]] = IGNORED
    scores = random.normal(size=(count, classes, length)).astype(np.float32)
    return Predictions(ids(count), targets, scores, scores.argmax(axis=1), random.random(count))


def pixels(seed=0, count=12):
    random = np.random.default_rng(seed)
    scores = random.normal(size=(count, 3, 5, 6)).astype(np.float32)
    targets = random.integers(0, 3, (count, 5, 6))
    return Predictions(ids(count), targets, scores, scores.argmax(axis=1), random.random(count))


def labels(seed=0, count=60):
    random = np.random.default_rng(seed)
    scores = random.normal(size=(count, 3)).astype(np.float32)
    targets = (random.random((count, 3)) < [0.5, 0.3, 0.1]).astype(np.int64)
    return Predictions(ids(count), targets, scores, (scores > 0).astype(np.int64), random.random(count))


def horizons(seed=0, count=50):
    random = np.random.default_rng(seed)
    targets = random.normal(3, 1, (count, 4)).astype(np.float32)
    answers = (targets + random.normal(size=targets.shape)).astype(np.float32)
    return Predictions(ids(count), targets, answers, answers, ((answers - targets) ** 2).mean(axis=1))


def texts(seed=0, count=40):
    random = np.random.default_rng(seed)

    def write():
        return "".join(random.choice(list("abc "), random.integers(2, 15))).strip() or "a"

    truths = [write() for _ in range(count)]
    answers = [truth if random.random() < 0.4 else write() for truth in truths]
    return Predictions(ids(count), np.array(truths), np.zeros((count, 0)), np.array(answers), np.ones(count))


def language(seed=0):
    of_tokens = tokens(seed)
    logged = -np.random.default_rng(seed).exponential(size=of_tokens.targets.shape)
    return replace(of_tokens, outputs=logged.astype(np.float32))


MADE = {
    "token-classification": tokens,
    "segmentation": pixels,
    "multilabel-classification": labels,
    "forecasting": horizons,
    "transcription": texts,
    "language-modelling": language,
}
NAMES = {
    "token-classification": [
        "accuracy",
        "accuracy_macro",
        "f1_macro",
        "f1_micro",
        "f1_weighted",
        "f1_class_1",
        "precision_weighted",
        "recall_class_0",
        "iou",
        "iou_weighted",
    ],
    "segmentation": [
        "iou",
        "accuracy",
        "f1_macro",
        "f1_class_2",
        "iou_class_0",
        "mcc",
        "cohen_kappa",
        "dice",
        "dice_micro",
        "dice_weighted",
        "dice_class_1",
    ],
    "multilabel-classification": [
        "accuracy",
        "f1_macro",
        "f1_micro",
        "f1_weighted",
        "f1_class_2",
        "iou",
        "exact_match",
        "hamming_distance",
        "specificity",
        "mcc",
        "auroc",
        "auroc_micro",
        "auroc_class_1",
        "average_precision",
        "average_precision_weighted",
    ],
    "forecasting": ["mae", "rmse", "mse", "smape", "mape", "r2", "explained_variance", "pearson"],
    "transcription": ["cer", "wer", "exact_match"],
    "language-modelling": ["perplexity", "accuracy"],
}


@pytest.mark.parametrize(("task", "name"), [(task, name) for task, names in NAMES.items() for name in names])
def test_a_statistic_equals_the_metric_on_every_resample(task, name):
    predictions = MADE[task]()
    statistic, measure = statistic_for(name, task, predictions), measure_for(name, task, NO_FILE)
    random, count = np.random.default_rng(1), len(predictions.sample_ids)
    picks = [np.arange(count), *(random.integers(0, count, count) for _ in range(3))]
    weights = np.array([np.bincount(pick, minlength=count).astype(float) for pick in picks])
    found = statistic(predictions)(weights)
    for value, pick in zip(found, picks, strict=True):
        taken = Predictions(*(getattr(predictions, part)[pick] for part in vars(predictions)))
        assert value == pytest.approx(value_of(measure, taken), abs=1e-5)


@pytest.mark.parametrize("task", MADE)
def test_the_loss_weighs_what_counts(task):
    predictions = MADE[task]()
    weights = np.full((1, len(predictions.losses)), 1 / len(predictions.losses))
    value = statistic_for("loss", task, predictions)(predictions)(weights)[0]
    assert value == pytest.approx(mean_loss(predictions, task))


@pytest.mark.parametrize(
    ("name", "task"),
    [
        ("auroc", "token-classification"),
        ("calibration_error", "segmentation"),
        ("f1_class_9", "segmentation"),
        ("spearman", "forecasting"),
        ("bleu", "transcription"),
        ("ranking_loss", "multilabel-classification"),
    ],
)
def test_what_is_no_sum_is_left_to_the_metric_itself(name, task):
    assert statistic_for(name, task, MADE[task]()) is None
