from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binomtest

from progtrain.errors import EvaluationError
from progtrain.evaluation.scoring.comparison import compare
from progtrain.evaluation.scoring.metrics import measure_for, value_of
from progtrain.evaluation.scoring.statistic import statistic_for
from progtrain.predictions import Predictions
from progtrain.records import MetricValue


def evenly(predictions):
    count = len(predictions.sample_ids)
    return np.full((1, count), 1 / count)


NO_FILE = Path("there is no metrics.py")


def metric(name, value, higher=True):
    return MetricValue(name=name, value=value, higher_is_better=higher)


def measured(name, task, predictions, higher):
    return metric(name, value_of(measure_for(name, task, NO_FILE), predictions), higher)


@pytest.mark.parametrize("name", ["accuracy", "f1", "f1_macro", "precision", "recall", "balanced_accuracy", "auroc"])
@pytest.mark.parametrize("classes", [2, 5])
def test_class_statistics_equal_the_metric(name, classes, classified):
    predictions = classified(count=60, classes=classes)
    if classes == 2:
        score = predictions.outputs[:, 1] - predictions.outputs[:, 0]
        predictions = replace(predictions, outputs=score, answers=(score > 0).astype(np.int64))
    statistic = statistic_for(name, "classification", predictions)
    value = statistic(predictions)(evenly(predictions))[0]
    expected = value_of(measure_for(name, "classification", NO_FILE), predictions)
    assert value == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("name", ["mae", "mse", "rmse", "r2", "mape"])
def test_regression_statistics_equal_the_metric(name, regressed):
    predictions = regressed()
    statistic = statistic_for(name, "regression", predictions)
    value = statistic(predictions)(evenly(predictions))[0]
    assert value == pytest.approx(value_of(measure_for(name, "regression", NO_FILE), predictions), abs=1e-5)


@pytest.mark.parametrize(("name", "higher"), [("accuracy", True), ("f1_macro", True), ("auroc", True)])
def test_verdicts_of_a_classifier(name, higher, classified):
    weak, strong, twin = classified(skill=1.0), classified(skill=2.5, seed=1), classified(skill=1.0, seed=2)

    def verdict(before, after):
        values = (measured(name, "classification", p, higher) for p in (before, after))
        return compare(before, after, *values, "classification", NO_FILE, seed=0)

    better = verdict(weak, strong)
    assert better.verdict == "improved"
    assert better.low <= better.difference <= better.high
    assert verdict(strong, weak).verdict == "regressed"
    assert verdict(weak, twin).verdict == "within noise"


@pytest.mark.parametrize(("name", "higher"), [("mae", False), ("rmse", False), ("r2", True), ("spearman", True)])
def test_verdicts_of_a_regression_whatever_the_direction(name, higher, regressed):
    rough, fine = regressed(error=1.0), regressed(error=0.3, seed=1)
    before, after = (measured(name, "regression", p, higher) for p in (rough, fine))
    better = compare(rough, fine, before, after, "regression", NO_FILE, seed=0)
    assert better.verdict == "improved"
    assert 0 < better.low <= better.difference <= better.high
    assert compare(fine, rough, after, before, "regression", NO_FILE, seed=0).verdict == "regressed"


def test_a_difference_of_one_sample_is_noise_in_both_directions(classified):
    before = classified()
    losses = before.losses.copy()
    losses[0] += 0.1
    after = replace(before, losses=losses)
    was, now = (metric("loss", float(p.losses.mean()), False) for p in (before, after))
    assert compare(before, after, was, now, "classification", NO_FILE, seed=0).verdict == "within noise"


def test_the_interval_is_that_of_the_paired_difference(classified):
    before = classified(count=2000)
    shift = np.random.default_rng(0).normal(0.05, 0.2, 2000)
    after = replace(before, losses=before.losses - shift)
    was, now = (metric("loss", float(p.losses.mean()), False) for p in (before, after))
    comparison = compare(before, after, was, now, "classification", NO_FILE, seed=0)
    half = 1.96 * shift.std() / np.sqrt(2000)
    assert comparison.low == pytest.approx(shift.mean() - half, abs=0.001)
    assert comparison.high == pytest.approx(shift.mean() + half, abs=0.001)


def test_the_same_seed_gives_the_same_interval(classified):
    pair = classified(), classified(skill=1.2, seed=3)
    values = [measured("accuracy", "classification", p, True) for p in pair]
    assert compare(*pair, *values, "classification", NO_FILE, 5) == compare(
        *pair, *values, "classification", NO_FILE, 5
    )


def test_a_users_metric_is_resampled_by_its_own_function(tmp_path, classified):
    path = tmp_path / "metrics.py"
    path.write_text("def accuracy(predictions, targets):\n    return -float((predictions == targets).mean())\n")
    weak, strong = classified(skill=0.5), classified(skill=3.0, seed=1)
    was, now = (metric("accuracy", -float((p.answers == p.targets).mean())) for p in (weak, strong))
    assert compare(weak, strong, was, now, "classification", path, seed=0).verdict == "regressed"


def test_without_a_parent_or_without_values(classified):
    one, missing, there = classified(), metric("accuracy", None), metric("accuracy", 0.5)
    assert compare(None, one, None, there, "classification", NO_FILE, 0).verdict == "first"
    assert compare(one, one, there, missing, "classification", NO_FILE, 0).verdict == "regressed"
    assert compare(one, one, missing, there, "classification", NO_FILE, 0).verdict == "improved"
    assert compare(one, one, missing, missing, "classification", NO_FILE, 0).verdict == "within noise"


def test_other_samples_are_not_compared(classified):
    one, other, value = classified(count=40), classified(count=41), metric("accuracy", 0.5)
    with pytest.raises(EvaluationError, match="same samples"):
        compare(one, other, value, value, "classification", NO_FILE, 0)


@pytest.mark.parametrize(("fixed", "broken"), [(30, 8), (20, 12), (9, 25), (15, 15)])
def test_accuracy_agrees_with_mcnemar(fixed, broken, classified):
    """Exact test over the samples on which the two disagree (McNemar, 1947): the same verdict, a like probability."""
    truth = replace(classified(), answers=classified().targets)
    wrong = (truth.targets + 1) % 5
    before = replace(truth, answers=np.where(np.arange(400) < fixed, wrong, truth.targets))
    late = np.arange(400) >= 400 - broken
    after = replace(truth, answers=np.where(late, wrong, truth.targets))
    values = [metric("accuracy", float((p.answers == p.targets).mean())) for p in (before, after)]
    comparison = compare(before, after, *values, "classification", NO_FILE, seed=0)
    p_value = binomtest(fixed, fixed + broken).pvalue
    assert (comparison.verdict != "within noise") == (p_value < 0.05)
    one_sided = binomtest(fixed, fixed + broken, alternative="greater").pvalue
    assert comparison.probability == pytest.approx(1 - one_sided, abs=0.1)


def test_the_probability_of_an_improvement_follows_the_difference(classified):
    weak, strong = classified(skill=1.0), classified(skill=2.5, seed=1)
    was, now = (measured("accuracy", "classification", p, True) for p in (weak, strong))
    assert compare(weak, strong, was, now, "classification", NO_FILE, 0).probability == 1.0
    assert compare(strong, weak, now, was, "classification", NO_FILE, 0).probability == 0.0
    assert compare(weak, weak, was, was, "classification", NO_FILE, 0).probability == 0.5


def test_texts_are_compared_by_their_errors(classified):
    count = 200
    truths = np.array(["the quick brown fox"] * count)
    worse = np.array(["the quick brwn fix" if row % 2 else "the quick brown fox" for row in range(count)])
    better = np.array(["the quick brown fix" if row % 8 == 1 else "the quick brown fox" for row in range(count)])
    ids = np.arange(count).astype(str)
    before, after = (Predictions(ids, truths, np.zeros((count, 0)), said, np.ones(count)) for said in (worse, better))
    for name in ("cer", "wer"):
        values = [measured(name, "transcription", p, False) for p in (before, after)]
        comparison = compare(before, after, *values, "transcription", NO_FILE, 0)
        assert comparison.verdict == "improved"
        assert comparison.low <= comparison.difference <= comparison.high
