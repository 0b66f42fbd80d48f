"""Sets that lack classes, one-logit models, constant answers: scikit-learn's value where it has one, else none."""

from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit, softmax
from sklearn import metrics as reference

from progtrain.errors import EvaluationError
from progtrain.evaluation.scoring.metrics import measure_for, value_of
from progtrain.evaluation.scoring.statistic import statistic_for
from progtrain.predictions import Predictions

NO_FILE = Path("there is no metrics.py")
SEEDS = range(4)


def predictions(targets, outputs, answers):
    count = len(targets)
    return Predictions(np.arange(count).astype(str), targets, outputs.astype(np.float32), answers, np.zeros(count))


def classes(seed, present=(0, 1, 3), total=5, count=90):
    """A classifier of five classes on a set that has three of them; it answers the others too."""
    random = np.random.default_rng(seed)
    targets = random.choice(present, count)
    scores = random.normal(size=(count, total)) + 1.2 * np.eye(total)[targets]
    return predictions(targets, scores, scores.argmax(axis=1))


def one_logit(seed, count=90, share=0.2):
    random = np.random.default_rng(seed)
    targets = (random.random(count) < share).astype(np.int64)
    scores = random.normal(size=count) + 1.5 * targets - 0.5
    return predictions(targets, scores, (scores > 0).astype(np.int64))


def labels(seed, count=80):
    """Four labels, of which no sample has the last and every sample has the third."""
    random = np.random.default_rng(seed)
    targets = np.stack([random.random(count) < share for share in (0.5, 0.2, 2.0, -1.0)], axis=1).astype(np.int64)
    scores = random.normal(size=targets.shape) + targets - 0.5
    return predictions(targets, scores, (scores > 0).astype(np.int64))


def value(name, found, task="classification"):
    return value_of(measure_for(name, task, NO_FILE), found)


def each_area(curve, targets, scores, present):
    return [curve(targets == label, scores[:, label]) for label in present]


@pytest.mark.parametrize("seed", SEEDS)
def test_averages_go_over_the_classes_that_occur(seed):
    found = classes(seed)
    truths, answers, shares = found.targets, found.answers, softmax(found.outputs, axis=1)
    present = sorted({*truths})
    occurring = sorted({*truths, *answers})
    expected = {
        "f1_macro": reference.f1_score(truths, answers, average="macro", labels=occurring, zero_division=0),
        "f1_weighted": reference.f1_score(truths, answers, average="weighted", zero_division=0),
        "precision_macro": reference.precision_score(truths, answers, average="macro", zero_division=0),
        "iou": reference.jaccard_score(truths, answers, average="macro", zero_division=0),
        "recall_macro": reference.recall_score(truths, answers, average="macro", labels=present),
        "accuracy_macro": np.mean([(answers[truths == label] == label).mean() for label in present]),
        "auroc": np.mean(each_area(reference.roc_auc_score, truths, shares, present)),
        "average_precision": np.mean(each_area(reference.average_precision_score, truths, shares, present)),
        "mcc": reference.matthews_corrcoef(truths, answers),
        "cohen_kappa": reference.cohen_kappa_score(truths, answers),
    }
    assert {name: value(name, found) for name in expected} == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("name", ["recall_class_2", "f1_class_4", "auroc_class_2", "precision_class_2"])
def test_a_class_without_samples_has_no_value(name):
    with pytest.raises(EvaluationError, match=f"no validation sample is of class {name[-1]}"):
        value(name, classes(0))


@pytest.mark.parametrize("seed", SEEDS)
def test_macro_is_macro_for_one_logit_too(seed):
    found = one_logit(seed)
    truths, answers, second = found.targets, found.answers, expit(found.outputs)
    both = [reference.average_precision_score(truths == label, abs(1 - label - second)) for label in (0, 1)]
    expected = {
        "f1_macro": reference.f1_score(truths, answers, average="macro"),
        "f1_weighted": reference.f1_score(truths, answers, average="weighted"),
        "recall_macro": reference.recall_score(truths, answers, average="macro"),
        "precision_macro": reference.precision_score(truths, answers, average="macro"),
        "accuracy_macro": reference.balanced_accuracy_score(truths, answers),
        "iou_macro": reference.jaccard_score(truths, answers, average="macro"),
        "f1_class_0": reference.f1_score(truths, answers, pos_label=0),
        "f1_class_1": reference.f1_score(truths, answers),
        "f1": reference.f1_score(truths, answers),
        "accuracy": reference.accuracy_score(truths, answers),
        "auroc": reference.roc_auc_score(truths, second),
        "auroc_macro": reference.roc_auc_score(truths, second),
        "average_precision_macro": np.mean(both),
    }
    assert {name: value(name, found) for name in expected} == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("seed", SEEDS)
def test_labels_that_no_sample_has(seed):
    found = labels(seed)
    truths, answers, scores = found.targets, found.answers, found.outputs
    expected = {
        "f1_macro": reference.f1_score(truths, answers, average="macro", zero_division=0),
        "recall_macro": np.mean([reference.recall_score(truths[:, i], answers[:, i]) for i in (0, 1, 2)]),
        "auroc": np.mean([reference.roc_auc_score(truths[:, i], scores[:, i]) for i in (0, 1)]),
        "average_precision": np.mean(
            [reference.average_precision_score(truths[:, i], scores[:, i]) for i in (0, 1, 2)]
        ),
        "hamming_distance": reference.hamming_loss(truths, answers),
    }
    got = {name: value(name, found, "multilabel-classification") for name in expected}
    assert got == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("name", ["auroc", "cohen_kappa"])
def test_a_set_of_one_class_has_no_value_of_what_compares_classes(name):
    found = classes(0, present=(1,))
    constant = predictions(found.targets, 0 * found.outputs, np.ones_like(found.answers))
    with pytest.raises(EvaluationError, match=r"no class occurs|for all answers and all targets are the same"):
        value(name, constant)


def test_constant_answers():
    found = classes(1)
    constant = predictions(found.targets, 0 * found.outputs, np.zeros_like(found.answers))
    truths, answers = constant.targets, constant.answers
    assert value("accuracy", constant) == pytest.approx(reference.accuracy_score(truths, answers))
    assert value("f1_macro", constant) == pytest.approx(
        reference.f1_score(truths, answers, average="macro", zero_division=0)
    )
    assert value("cohen_kappa", constant) == pytest.approx(reference.cohen_kappa_score(truths, answers), abs=1e-6)


@pytest.mark.parametrize(("name", "part"), [("pearson", "answers"), ("spearman", "answers"), ("r2", "targets")])
def test_numbers_that_are_all_the_same(name, part):
    varied = np.random.default_rng(0).normal(size=50).astype(np.float32)
    parts = {"answers": varied, "targets": varied + 1} | {part: np.full(50, 2.0, np.float32)}
    with pytest.raises(EvaluationError, match=f"where all {part} are the same"):
        value(name, predictions(parts["targets"], parts["answers"], parts["answers"]), "regression")


STATISTICS = {
    "classification": ["f1_macro", "f1_weighted", "recall_macro", "accuracy_macro", "precision_macro", "iou", "auroc"],
    "multilabel-classification": ["f1_macro", "f1_weighted", "recall_macro", "auroc", "accuracy", "accuracy_macro"],
}


@pytest.mark.parametrize("make", [classes, one_logit, labels])
def test_the_bootstrap_takes_the_same_classes(make):
    task = "multilabel-classification" if make is labels else "classification"
    found = make(2)
    count = len(found.targets)
    random = np.random.default_rng(1)
    for name in STATISTICS[task]:
        measure, statistic = measure_for(name, task, NO_FILE), statistic_for(name, task, found)
        for pick in [np.arange(count), *(random.integers(0, count, count) for _ in range(4))]:
            taken = Predictions(*(getattr(found, part)[pick] for part in vars(found)))
            weights = np.bincount(pick, minlength=count)[None] / count
            assert statistic(found)(weights)[0] == pytest.approx(value_of(measure, taken), abs=1e-5), name
