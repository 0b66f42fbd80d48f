"""Random sets that lack classes, one-logit models, constant answers: scikit-learn's value where it has one, else none.

Scikit-learn's functions are given what they leave open: which classes are averaged over, and that a share of nothing
is 0. `None` stands for a figure that the set does not tell.
"""

import math
import warnings
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import pearsonr, spearmanr
from sklearn import metrics as reference
from sklearn.exceptions import UndefinedMetricWarning

from progtrain.errors import EvaluationError
from progtrain.evaluation.scoring.metrics import measure_for, value_of
from progtrain.evaluation.scoring.statistic import statistic_for
from progtrain.predictions import IGNORED, Predictions

NO_FILE = Path("there is no metrics.py")
SEEDS = range(3)
SHARE_OF_NOTHING = {"zero_division": 0}


def predictions(targets, outputs, answers):
    count = len(targets)
    return Predictions(np.arange(count).astype(str), targets, outputs.astype(np.float32), answers, np.zeros(count))


def value(name, found, task="classification"):
    """None where there is a reason for having none; "it is nan" is no reason."""
    try:
        return value_of(measure_for(name, task, NO_FILE), found)
    except EvaluationError as error:
        return None if len(str(error)) > len("it is nan") else math.nan


def values(expected, found, task="classification"):
    """Ours beside the expected, each None or a number."""
    ours = {name: value(name, found, task) for name in expected}
    theirs = {name: None if math.isnan(each) else pytest.approx(each, abs=1e-6) for name, each in expected.items()}
    return ours, theirs


def mean_of(each):
    known = [one for one in each if not math.isnan(one)]
    return np.mean(known) if known else math.nan


def curve(measure, flags, scores, needs_others):
    if not flags.any() or (needs_others and flags.all()):
        return math.nan
    return measure(flags, scores)


def resamples(found, count=2):
    random = np.random.default_rng(1)
    size = len(found.targets)
    for pick in [np.arange(size), *(random.integers(0, size, size) for _ in range(count))]:
        taken = Predictions(*(getattr(found, part)[pick] for part in vars(found)))
        yield np.bincount(pick, minlength=size)[None].astype(float), taken


# --- classes ------------------------------------------------------------------------------------


def classifier(seed, present, answering=None, total=5, count=80, skill=1.2, scale=1.0):
    """A classifier of five classes on a set that has some of them."""
    random = np.random.default_rng(seed)
    targets = random.choice(present, count)
    scores = scale * (random.normal(size=(count, total)) + skill * np.eye(total)[targets])
    answers = scores.argmax(axis=1) if answering is None else np.full(count, answering)
    return predictions(targets, 0 * scores if answering is not None else scores, answers)


def one_logit(seed, share, answering=None, count=80, scale=1.0):
    random = np.random.default_rng(seed)
    targets = (random.random(count) < share).astype(np.int64)
    scores = scale * (random.normal(size=count) + 1.5 * targets - 0.5)
    scores = scores if answering is None else np.full(count, 2.0 * answering - 1)
    return predictions(targets, scores, (scores > 0).astype(np.int64))


def two_logits(*arguments, **named):
    one = one_logit(*arguments, **named)
    return predictions(one.targets, np.stack([0 * one.outputs, one.outputs], axis=1), one.answers)


CLASSIFIERS = {
    "all classes": lambda seed: classifier(seed, range(5)),
    "three of five classes": lambda seed: classifier(seed, (0, 1, 3)),
    "three of five, large logits": lambda seed: classifier(seed, (0, 1, 3), scale=40.0),
    "one of five classes": lambda seed: classifier(seed, (2,)),
    "one of five, all right": lambda seed: classifier(seed, (2,), answering=2),
    "constant answers": lambda seed: classifier(seed, (0, 1, 3), answering=1),
    "constant answers of a class that is not there": lambda seed: classifier(seed, (0, 1, 3), answering=4),
    **{
        f"{make.__name__}, {name}": lambda seed, make=make, given=given: make(seed, **given)
        for make in (one_logit, two_logits)
        for name, given in {
            "few positives": {"share": 0.2},
            "large": {"share": 0.4, "scale": 60.0},
            "always no": {"share": 0.3, "answering": 0},
            "always yes": {"share": 0.3, "answering": 1},
            "no positives": {"share": -1},
            "only positives": {"share": 2},
            "only positives, always yes": {"share": 2, "answering": 1},
        }.items()
    },
}


def log_odds(found):
    """`[N, C]` by double precision, in which the logits of these sets make no probability of 1."""
    scores = found.outputs.astype(np.float64)
    if scores.ndim == 1:
        return np.stack([-scores, scores], axis=1)
    others = [np.delete(scores, label, axis=1) for label in range(scores.shape[1])]
    return np.stack([scores[:, label] - np.logaddexp.reduce(rest, axis=1) for label, rest in enumerate(others)], axis=1)


def expected_of_classes(found):
    truths, answers, odds = found.targets, found.answers, log_odds(found)
    present, occurring = np.unique(truths), np.unique([truths, answers])
    areas = [curve(reference.roc_auc_score, truths == c, odds[:, c], True) for c in range(odds.shape[1])]
    precisions = [
        curve(reference.average_precision_score, truths == c, odds[:, c], False) for c in range(odds.shape[1])
    ]
    shares = np.array([(truths == c).mean() for c in range(odds.shape[1])])
    known = ~np.isnan(areas)
    one_class = len(present) == 1
    expected = {
        "accuracy": reference.accuracy_score(truths, answers),
        "hamming_distance": reference.hamming_loss(truths, answers),
        "accuracy_macro": np.mean([(answers[truths == label] == label).mean() for label in present]),
        "balanced_accuracy": np.mean([(answers[truths == label] == label).mean() for label in present]),
        "recall_macro": reference.recall_score(truths, answers, average="macro", labels=present),
        "recall_weighted": reference.recall_score(truths, answers, average="weighted", **SHARE_OF_NOTHING),
        "f1_macro": reference.f1_score(truths, answers, average="macro", labels=occurring, **SHARE_OF_NOTHING),
        "f1_micro": reference.f1_score(truths, answers, average="micro"),
        "f1_weighted": reference.f1_score(truths, answers, average="weighted", **SHARE_OF_NOTHING),
        "precision_macro": reference.precision_score(truths, answers, average="macro", **SHARE_OF_NOTHING),
        "precision_weighted": reference.precision_score(truths, answers, average="weighted", **SHARE_OF_NOTHING),
        "iou_macro": reference.jaccard_score(truths, answers, average="macro", **SHARE_OF_NOTHING),
        "iou_weighted": reference.jaccard_score(truths, answers, average="weighted", **SHARE_OF_NOTHING),
        "specificity_macro": mean_of(
            math.nan if (truths == label).all() else (answers != label)[truths != label].mean() for label in occurring
        ),
        "average_precision_macro": mean_of(precisions),
        "mcc": math.nan if one_class else reference.matthews_corrcoef(truths, answers),
        "cohen_kappa": math.nan if len(occurring) == 1 else reference.cohen_kappa_score(truths, answers),
        "auroc_macro": mean_of(areas),
        "auroc_weighted": np.average(np.array(areas)[known], weights=shares[known]) if known.any() else math.nan,
    }
    for label in (0, 1, 4):
        there = label in present
        flags = truths == label, answers == label
        expected[f"f1_class_{label}"] = reference.f1_score(*flags, **SHARE_OF_NOTHING) if there else math.nan
        expected[f"recall_class_{label}"] = reference.recall_score(*flags) if there else math.nan
        expected[f"precision_class_{label}"] = (
            reference.precision_score(*flags, **SHARE_OF_NOTHING) if there else math.nan
        )
        expected[f"auroc_class_{label}"] = areas[label] if there else math.nan
    return expected


@pytest.mark.parametrize("kind", CLASSIFIERS)
@pytest.mark.parametrize("seed", SEEDS)
def test_classes(kind, seed):
    found = CLASSIFIERS[kind](seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn says where it takes 0 for what is not defined
        expected = expected_of_classes(found)
    ours, theirs = values(expected, found)
    assert ours == theirs


@pytest.mark.parametrize("kind", [kind for kind in CLASSIFIERS if kind.startswith("one_logit")])
def test_one_logit_without_an_average_is_the_second_class(kind):
    found = CLASSIFIERS[kind](1)
    for name in ("f1", "precision", "recall", "iou", "specificity", "auroc", "average_precision"):
        assert value(name, found) == value(f"{name}_class_1", found), name
    assert (value("f1", found) is None) == (not found.targets.any())


@pytest.mark.parametrize(
    ("name", "kind", "reason"),
    [
        ("recall_class_2", "three of five classes", "no validation sample is of class 2"),
        ("auroc_class_2", "one of five classes", "every validation sample is of class 2"),
        ("auroc", "one of five classes", "all targets are the same"),
        ("auroc", "one_logit, no positives", "no validation sample is of class 1"),
        ("mcc", "one of five classes", "all targets are the same"),
        ("cohen_kappa", "one of five, all right", "all answers and all targets are the same"),
        ("mcc_class_1", "all classes", "one number for all classes"),
        ("recall_class_9", "all classes", "a value for class 9, there are 5"),
    ],
)
def test_reasons(name, kind, reason):
    with pytest.raises(EvaluationError, match=reason):
        value_of(measure_for(name, "classification", NO_FILE), CLASSIFIERS[kind](0))


@pytest.mark.parametrize("part", ["targets", "answers"])
def test_a_class_that_the_model_does_not_have_is_told(part):
    found = classifier(0, (0, 1))
    getattr(found, part)[3] = 7
    with pytest.raises(EvaluationError, match=f"expected {part} of classes 0 to 4, got 0 to 7"):
        value_of(measure_for("accuracy", "classification", NO_FILE), found)


# --- labels -------------------------------------------------------------------------------------


def labelled(seed, shares, answering=None, count=70):
    random = np.random.default_rng(seed)
    targets = (random.random((count, len(shares))) < shares).astype(np.int64)
    scores = random.normal(size=targets.shape) + targets - 0.5
    scores = scores if answering is None else np.full(targets.shape, 2.0 * answering - 1)
    return predictions(targets, scores, (scores > 0).astype(np.int64))


LABELLED = {
    "all labels": lambda seed: labelled(seed, (0.5, 0.2, 0.7)),
    "one that none has, one that all have": lambda seed: labelled(seed, (0.5, -1, 2, 0.2)),
    "none at all": lambda seed: labelled(seed, (-1, -1, -1)),
    "always no": lambda seed: labelled(seed, (0.5, -1, 2), answering=0),
    "always yes": lambda seed: labelled(seed, (0.5, -1, 2), answering=1),
}


def expected_of_labels(found):
    truths, answers, scores = found.targets, found.answers, found.outputs
    each = range(truths.shape[1])
    occurring = [i for i in each if truths[:, i].any() or answers[:, i].any()]
    has_any = bool(truths.any())
    areas = [curve(reference.roc_auc_score, truths[:, i], scores[:, i], True) for i in each]
    precisions = [curve(reference.average_precision_score, truths[:, i], scores[:, i], False) for i in each]

    def averaged(measure, average):
        return measure(truths, answers, average=average, labels=occurring, **SHARE_OF_NOTHING)

    return {
        "accuracy": 1 - reference.hamming_loss(truths, answers),
        "hamming_distance": reference.hamming_loss(truths, answers),
        "exact_match": reference.accuracy_score(truths, answers),
        "f1_macro": averaged(reference.f1_score, "macro"),
        "f1_weighted": averaged(reference.f1_score, "weighted") if has_any else math.nan,
        "f1_micro": reference.f1_score(truths, answers, average="micro", **SHARE_OF_NOTHING),
        "precision_macro": averaged(reference.precision_score, "macro"),
        "iou": averaged(reference.jaccard_score, "macro"),
        "recall_macro": mean_of(
            reference.recall_score(truths[:, i], answers[:, i]) if truths[:, i].any() else math.nan for i in each
        ),
        "specificity_macro": mean_of(
            math.nan if truths[:, i].all() else (answers[:, i] == 0)[truths[:, i] == 0].mean() for i in each
        ),
        "auroc": mean_of(areas),
        "auroc_micro": curve(reference.roc_auc_score, truths.ravel(), scores.ravel(), True),
        "average_precision": mean_of(precisions),
        "average_precision_micro": curve(reference.average_precision_score, truths.ravel(), scores.ravel(), False),
        "f1_class_1": reference.f1_score(truths[:, 1], answers[:, 1]) if truths[:, 1].any() else math.nan,
        "mcc": reference.matthews_corrcoef(truths.ravel(), answers.ravel()) if has_any else math.nan,
    }


@pytest.mark.parametrize("kind", LABELLED)
@pytest.mark.parametrize("seed", SEEDS)
def test_labels(kind, seed):
    found = LABELLED[kind](seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = expected_of_labels(found)
    ours, theirs = values(expected, found, "multilabel-classification")
    assert ours == theirs


# --- tokens and pixels --------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_pixels_that_count_and_classes_that_occur(seed):
    random = np.random.default_rng(seed)
    targets = random.choice([0, 1, 3], (10, 6, 6))
    outputs = random.normal(size=(10, 5, 6, 6)) + 2 * np.eye(5)[targets].transpose(0, 3, 1, 2)
    outputs[:, 4] -= 20  # never answered
    targets[random.random(targets.shape) < 0.2] = IGNORED
    targets[2] = IGNORED  # nothing of a sample counts
    found = predictions(targets, outputs, outputs.argmax(axis=1))
    known = targets != IGNORED
    truths, answers = targets[known], found.answers[known]
    images = [(targets[i][known[i]], found.answers[i][known[i]]) for i in range(10) if known[i].any()]
    expected = {
        "iou": reference.jaccard_score(truths, answers, average="macro"),
        "iou_weighted": reference.jaccard_score(truths, answers, average="weighted"),
        "iou_class_2": math.nan,
        "accuracy_macro": np.mean([(answers[truths == label] == label).mean() for label in (0, 1, 3)]),
        "mcc": reference.matthews_corrcoef(truths, answers),
        "dice": np.mean([reference.f1_score(*image, average="macro") for image in images]),
        "dice_micro": np.mean([reference.f1_score(*image, average="micro") for image in images]),
        "dice_weighted": np.mean([reference.f1_score(*image, average="weighted") for image in images]),
        "dice_class_3": np.mean([reference.f1_score(image[0] == 3, image[1] == 3) for image in images]),
        "dice_class_2": math.nan,
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedMetricWarning)
        ours, theirs = values(expected, found, "segmentation")
    assert ours == theirs


@pytest.mark.parametrize("task", ["token-classification", "segmentation"])
def test_where_nothing_counts_there_is_no_value(task):
    shape = (4, 6) if task == "token-classification" else (4, 6, 6)
    found = predictions(np.full(shape, IGNORED), np.zeros((4, 3, *shape[1:])), np.zeros(shape, np.int64))
    with pytest.raises(EvaluationError, match="no validation sample has a target that counts"):
        value_of(measure_for("accuracy", task, NO_FILE), found)


# --- numbers ------------------------------------------------------------------------------------


def regressor(seed, shape=(60,), offset=0.0, scale=1.0):
    random = np.random.default_rng(seed)
    targets = (scale * random.normal(size=shape) + offset).astype(np.float32)
    answers = (targets + 0.5 * scale * random.normal(size=shape)).astype(np.float32)
    return predictions(targets, answers, answers)


def with_constant(part, column=None):
    def make(seed):
        found = regressor(seed, (60, 3) if column is not None else (60,))
        getattr(found, part)[..., slice(None) if column is None else column] = 2.5
        return found

    return make


REGRESSORS = {
    "numbers": regressor,
    "far from 0": lambda seed: regressor(seed, offset=1e4),
    "tiny": lambda seed: regressor(seed, scale=1e-5),
    "several": lambda seed: regressor(seed, (60, 3)),
    "constant targets": with_constant("targets"),
    "constant answers": with_constant("answers"),
    "one of several targets constant": with_constant("targets", 1),
    "one of several answers constant": with_constant("answers", 1),
    "one sample": lambda seed: regressor(seed, (1,)),
    "all right": lambda seed: predictions(*[regressor(seed).targets] * 3),
}


def expected_of_values(found):
    size = len(found.targets)
    truths, answers = (part.astype(np.float64).reshape(size, -1) for part in (found.targets, found.answers))
    varying = [i for i in range(truths.shape[1]) if np.ptp(truths[:, i]) > 0]

    def over(measure, needs_answers=False):
        if not varying or (needs_answers and any(np.ptp(answers[:, i]) == 0 for i in varying)):
            return math.nan
        return np.mean([measure(truths[:, i], answers[:, i]) for i in varying])

    return {
        "mae": reference.mean_absolute_error(truths, answers),
        "mse": reference.mean_squared_error(truths, answers),
        "rmse": math.sqrt(reference.mean_squared_error(truths, answers)),
        "r2": over(reference.r2_score),
        "explained_variance": over(reference.explained_variance_score),
        "relative_squared_error": over(lambda t, a: 1 - reference.r2_score(t, a)),
        "pearson": over(lambda t, a: pearsonr(t, a)[0], needs_answers=True),
        "spearman": over(lambda t, a: spearmanr(t, a)[0], needs_answers=True),
    }


@pytest.mark.parametrize("kind", REGRESSORS)
@pytest.mark.parametrize("seed", SEEDS)
def test_numbers(kind, seed):
    found = REGRESSORS[kind](seed)
    ours, theirs = values(expected_of_values(found), found, "regression")
    assert ours == theirs


@pytest.mark.parametrize(
    ("name", "kind", "reason"),
    [
        ("r2", "constant targets", "all targets are the same"),
        ("pearson", "constant answers", "all answers are the same"),
        ("spearman", "constant answers", "all answers are the same"),
        ("concordance_corrcoef", "constant targets", "all targets are the same"),
    ],
)
def test_reasons_of_numbers(name, kind, reason):
    with pytest.raises(EvaluationError, match=reason):
        value_of(measure_for(name, "regression", NO_FILE), REGRESSORS[kind](0))


def test_answers_that_are_no_numbers_are_told():
    found = regressor(0)
    found.answers[3] = np.inf
    with pytest.raises(EvaluationError, match="not all answers are finite numbers"):
        value_of(measure_for("mae", "regression", NO_FILE), found)


# --- the bootstrap ------------------------------------------------------------------------------

STATISTICS = {
    "classification": (CLASSIFIERS, expected_of_classes),
    "multilabel-classification": (LABELLED, expected_of_labels),
    "regression": (REGRESSORS, expected_of_values),
}


@pytest.mark.parametrize(("task", "kind"), [(task, kind) for task, (kinds, _) in STATISTICS.items() for kind in kinds])
def test_the_bootstrap_has_the_metric_on_every_resample(task, kind):
    kinds, expected = STATISTICS[task]
    found = kinds[kind](2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        names = expected(found)
        taken_apart = [(weights, taken, expected(taken)) for weights, taken in resamples(found)]
    for name in names:
        statistic = statistic_for(name, task, found)
        if statistic is None:
            continue
        weighed = statistic(found)
        for weights, taken, theirs in taken_apart:
            same = weighed(weights)[0]
            assert (None if math.isnan(same) else pytest.approx(same, abs=1e-6)) == value(name, taken, task), name
            assert same == pytest.approx(theirs[name], abs=1e-6, nan_ok=True), name
