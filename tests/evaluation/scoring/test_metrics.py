from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.special import softmax
from scipy.stats import pearsonr, spearmanr
from sklearn import metrics as reference
from torchmetrics.text import Perplexity

from progtrain.errors import EvaluationError
from progtrain.evaluation.scoring.by_torchmetrics import as_number
from progtrain.evaluation.scoring.metrics import measure_for, value_of
from progtrain.predictions import IGNORED, Predictions

NO_FILE = Path("there is no metrics.py")

CLASSIFICATION = {
    "accuracy": lambda t, a, s: reference.accuracy_score(t, a),
    "balanced_accuracy": lambda t, a, s: reference.balanced_accuracy_score(t, a),
    "f1": lambda t, a, s: reference.f1_score(t, a, average="macro"),
    "F1Score": lambda t, a, s: reference.f1_score(t, a, average="macro"),
    "f1_weighted": lambda t, a, s: reference.f1_score(t, a, average="weighted"),
    "f1_micro": lambda t, a, s: reference.f1_score(t, a, average="micro"),
    "precision": lambda t, a, s: reference.precision_score(t, a, average="macro"),
    "recall": lambda t, a, s: reference.recall_score(t, a, average="macro"),
    "auroc": lambda t, a, s: reference.roc_auc_score(t, softmax(s, axis=1), multi_class="ovr"),
    "mcc": lambda t, a, s: reference.matthews_corrcoef(t, a),
    "cohen_kappa": lambda t, a, s: reference.cohen_kappa_score(t, a),
}
REGRESSION = {
    "mae": reference.mean_absolute_error,
    "mse": reference.mean_squared_error,
    "mean_squared_error": reference.mean_squared_error,
    "rmse": reference.root_mean_squared_error,
    "r2": reference.r2_score,
    "R2Score": reference.r2_score,
    "mape": reference.mean_absolute_percentage_error,
    "explained_variance": reference.explained_variance_score,
    "pearson": lambda t, o: pearsonr(t, o)[0],
    "spearman": lambda t, o: spearmanr(t, o)[0],
}


@pytest.mark.parametrize("name", CLASSIFICATION)
def test_classification_agrees_with_scikit_learn(name, classified):
    predictions = classified()
    expected = CLASSIFICATION[name](predictions.targets, predictions.answers, predictions.outputs)
    assert value_of(measure_for(name, "classification", NO_FILE), predictions) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("name", REGRESSION)
def test_regression_agrees_with_scikit_learn(name, regressed):
    predictions = regressed()
    expected = REGRESSION[name](predictions.targets, predictions.outputs)
    assert value_of(measure_for(name, "regression", NO_FILE), predictions) == pytest.approx(expected, abs=1e-4)


def test_two_classes_by_one_score(classified):
    two = classified(classes=2)
    score = two.outputs[:, 1] - two.outputs[:, 0]
    one = replace(two, outputs=score, answers=(score > 0).astype(np.int64))
    for name, expected in {
        "accuracy": reference.accuracy_score(one.targets, one.answers),
        "f1": reference.f1_score(one.targets, one.answers),
        "auroc": reference.roc_auc_score(one.targets, score),
    }.items():
        assert value_of(measure_for(name, "classification", NO_FILE), one) == pytest.approx(expected, abs=1e-5)


@pytest.fixture
def labelled():
    """Predictions of a classifier that says yes or no to each of four labels."""
    rng = np.random.default_rng(3)
    targets = rng.integers(0, 2, (200, 4))
    scores = (rng.normal(size=targets.shape) + 2 * targets - 1).astype(np.float32)
    ids = np.arange(200).astype(str)
    return Predictions(ids, targets, scores, (scores > 0).astype(np.int64), np.zeros(200))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("f1_macro", lambda t, a, s: reference.f1_score(t, a, average="macro")),
        ("f1_micro", lambda t, a, s: reference.f1_score(t, a, average="micro")),
        ("f1_class_2", lambda t, a, s: reference.f1_score(t, a, average=None)[2]),
        ("auroc", lambda t, a, s: reference.roc_auc_score(t, s)),
        ("average_precision", lambda t, a, s: reference.average_precision_score(t, s)),
        ("exact_match", lambda t, a, s: reference.accuracy_score(t, a)),
        ("hamming_distance", lambda t, a, s: reference.hamming_loss(t, a)),
        ("iou", lambda t, a, s: reference.jaccard_score(t, a, average="macro")),
    ],
)
def test_labels_agree_with_scikit_learn(name, expected, labelled):
    value = value_of(measure_for(name, "multilabel-classification", NO_FILE), labelled)
    assert value == pytest.approx(expected(labelled.targets, labelled.answers, labelled.outputs), abs=1e-5)


@pytest.fixture
def tokens():
    """Predictions of three classes for up to nine tokens a sample; the rest is padding."""
    rng = np.random.default_rng(4)
    targets = rng.integers(0, 3, (50, 9))
    outputs = (rng.normal(size=(50, 3, 9)) + 1.5 * np.eye(3)[targets].transpose(0, 2, 1)).astype(np.float32)
    targets[np.arange(9) >= rng.integers(3, 10, 50)[:, None]] = IGNORED
    return Predictions(np.arange(50).astype(str), targets, outputs, outputs.argmax(axis=1), np.zeros(50))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("accuracy", reference.accuracy_score),
        ("f1_macro", lambda t, a: reference.f1_score(t, a, average="macro")),
        ("f1_class_1", lambda t, a: reference.f1_score(t, a, average=None)[1]),
        ("iou", lambda t, a: reference.jaccard_score(t, a, average="macro")),
    ],
)
def test_tokens_agree_with_scikit_learn_padding_left_out(name, expected, tokens):
    known = tokens.targets != IGNORED
    value = value_of(measure_for(name, "token-classification", NO_FILE), tokens)
    assert value == pytest.approx(expected(tokens.targets[known], tokens.answers[known]), abs=1e-5)


@pytest.mark.parametrize("classes", [2, 4])
def test_pixels_agree_with_scikit_learn(classes):
    rng = np.random.default_rng(5)
    targets = rng.integers(0, classes, (12, 8, 8))
    outputs = rng.normal(size=(12, classes, 8, 8)) + 2 * np.eye(classes)[targets].transpose(0, 3, 1, 2)
    found = Predictions(np.arange(12).astype(str), targets, outputs, outputs.argmax(axis=1), np.zeros(12))
    flat = targets.ravel(), found.answers.ravel()
    iou = value_of(measure_for("iou", "segmentation", NO_FILE), found)
    assert iou == pytest.approx(reference.jaccard_score(*flat, average="macro"), abs=1e-5)
    each = [
        reference.f1_score(t.ravel(), a.ravel(), average="macro") for t, a in zip(targets, found.answers, strict=True)
    ]
    assert value_of(measure_for("dice", "segmentation", NO_FILE), found) == pytest.approx(np.mean(each), abs=1e-5)


def test_perplexity_agrees_with_torchmetrics():
    generator = torch.Generator().manual_seed(6)
    scores, targets = torch.randn(5, 7, 11, generator=generator), torch.randint(11, (5, 7), generator=generator)
    targets[2, 4:] = IGNORED
    kept = scores.log_softmax(-1).gather(2, targets.clamp(min=0).unsqueeze(2)).squeeze(2)
    ids, answers = np.arange(5).astype(str), scores.argmax(-1).numpy()
    found = Predictions(ids, targets.numpy(), kept.numpy(), answers, np.zeros(5))
    expected = Perplexity(ignore_index=IGNORED)(scores, targets).item()
    assert value_of(measure_for("perplexity", "language-modelling", NO_FILE), found) == pytest.approx(
        expected, rel=1e-5
    )
    known = targets.numpy() != IGNORED
    accuracy = reference.accuracy_score(targets.numpy()[known], answers[known])
    assert value_of(measure_for("accuracy", "language-modelling", NO_FILE), found) == pytest.approx(accuracy)


def test_one_class_of_several(classified):
    predictions = classified()
    expected = reference.recall_score(predictions.targets, predictions.answers, average=None)[3]
    assert value_of(measure_for("recall_class_3", "classification", NO_FILE), predictions) == pytest.approx(expected)
    with pytest.raises(EvaluationError, match="a value for class 9"):
        value_of(measure_for("recall_class_9", "classification", NO_FILE), predictions)


def test_what_was_answered_counts_not_the_highest_score(classified):
    predictions = classified()
    served = replace(predictions, answers=np.zeros_like(predictions.answers))
    accuracy = value_of(measure_for("accuracy", "classification", NO_FILE), served)
    assert accuracy == pytest.approx((predictions.targets == 0).mean())


def test_a_users_own_metric_goes_before_torchmetrics(tmp_path, classified):
    path = tmp_path / "metrics.py"
    path.write_text("def accuracy(predictions, targets):\n    return float(len(targets))\n")
    assert value_of(measure_for("accuracy", "classification", path), classified(count=12)) == 12.0
    assert value_of(measure_for("recall", "classification", path), classified(count=50)) <= 1.0


def test_a_metrics_file_that_fails_is_named(tmp_path):
    path = tmp_path / "metrics.py"
    path.write_text("def mine(predictions, targets):\n    return 1\n\nraise ValueError('oh')\n")
    with pytest.raises(EvaluationError, match=r"metrics\.py cannot be run: ValueError: oh"):
        measure_for("mine", "classification", path)


@pytest.mark.parametrize(
    ("body", "reason"),
    [("return 1 / 0", "ZeroDivisionError"), ("return float('nan')", "nan"), ("return float('inf')", "inf")],
)
def test_a_value_that_cannot_be_had_gives_its_reason(tmp_path, classified, body, reason):
    path = tmp_path / "metrics.py"
    path.write_text(f"def mine(predictions, targets):\n    {body}\n")
    with pytest.raises(EvaluationError, match=reason):
        value_of(measure_for("mine", "classification", path), classified())


def test_metrics_that_need_arguments_or_are_no_number_say_so(classified):
    with pytest.raises(EvaluationError, match=r"beta.*metrics\.py"):
        value_of(measure_for("fbeta_score", "classification", NO_FILE), classified())
    with pytest.raises(EvaluationError, match="expected a value for each class"):
        value_of(measure_for("confusion_matrix", "classification", NO_FILE), classified())


def test_numbers_have_the_digits_of_their_precision():
    assert as_number(torch.tensor(0.21)) == 0.21
    assert as_number(torch.tensor([1 / 3], dtype=torch.float64)) == 1 / 3
