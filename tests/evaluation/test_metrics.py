from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.special import softmax
from scipy.stats import pearsonr, spearmanr
from sklearn import metrics as reference

from progtrain.errors import EvaluationError
from progtrain.evaluation.metrics import as_number, measure_for, value_of

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
    with pytest.raises(EvaluationError, match="expected one number"):
        value_of(measure_for("confusion_matrix", "classification", NO_FILE), classified())


def test_numbers_have_the_digits_of_their_precision():
    assert as_number(torch.tensor(0.21)) == 0.21
    assert as_number(torch.tensor([1 / 3], dtype=torch.float64)) == 1 / 3
