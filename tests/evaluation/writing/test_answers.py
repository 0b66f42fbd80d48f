"""Whether predict_step is asked, and above which score an answer is the second class."""

import pytest
import torch
from torch.nn import functional as F

from tests.evaluation.writing.steps import Case, Step, classes, columns, layers, observed, two_classes

bce = F.binary_cross_entropy_with_logits
ONE = {"net": layers(outputs=1)}


def predicting(answer):
    return type("Predicting", (Step,), {"predict_step": lambda self, batch, batch_idx: answer(self(batch[0]))})


def of_classes(answer):
    return Case(lambda m, b: F.cross_entropy(m(b[0]), b[1]), classes, kind=predicting(answer))


def of_two(answer):
    return Case(lambda m, b: bce(m(b[0]).squeeze(1), b[1].float()), two_classes, parts=ONE, kind=predicting(answer))


def of_values(answer):
    return Case(lambda m, b: F.mse_loss(m(b[0]), b[1]), columns, task="regression", parts=ONE, kind=predicting(answer))


def strict(scores):
    raise KeyError("threshold")


CASES = {
    "classes": (of_classes(lambda scores: scores.argmax(1)), ""),
    "scores": (of_classes(lambda scores: scores), ""),
    "probabilities": (of_classes(lambda scores: scores.softmax(1)), ""),
    "confidences": (of_classes(lambda scores: scores.softmax(1).amax(1)), "it gives [7] float32, the loss sees [7, 4]"),
    "the two best": (of_classes(lambda scores: scores.topk(2).indices), "it gives [7, 2] int64, the loss sees [7, 4]"),
    "texts": (of_classes(lambda scores: ["a"] * len(scores)), "it gives texts"),
    "an error": (of_classes(strict), "asked with the inputs it raises KeyError: 'threshold'"),
    "probabilities of the second class": (of_two(torch.sigmoid), ""),
    "of the first class": (
        of_two(lambda scores: torch.sigmoid(-scores)),
        "it gives [7, 1] float32, the loss sees [7, 1], and they are no probabilities of the second class",
    ),
    "values": (of_values(lambda found: found), ""),
    "values in a row": (of_values(lambda found: found.squeeze(1)), ""),
    "another unit": (of_values(torch.exp), "it gives [7, 1] float32, the loss sees [7, 1] in another unit"),
    "rounded": (
        of_values(lambda found: found.round()),
        "it gives [7, 1] float32, the loss sees [7, 1] in another unit",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_predict_step_is_asked_where_its_answers_mean_what_the_outputs_do(name):
    case, reason = CASES[name]
    seen = observed(case.model(), case.make, case.task)
    assert seen.lacking == {}
    assert (seen.predict_step, seen.predict_reason) == (reason == "", reason)


@pytest.mark.parametrize(
    ("step", "threshold"),
    [
        (lambda m, b: bce(m(b[0]).squeeze(1), b[1].float()), "0"),
        (lambda m, b: F.binary_cross_entropy(m(b[0]).sigmoid().squeeze(1), b[1].float()), "0.5"),
        (lambda m, b: {"val_acc": ((m(b[0]).squeeze(1).sigmoid() > 0.5) == b[1]).float().mean()}, "0"),
        (lambda m, b: {"val_acc": ((m(b[0]).squeeze(1) > 0.3) == b[1]).float().mean()}, "0.3"),
        (lambda m, b: F.mse_loss(m(b[0]).squeeze(1), b[1].float()), "0.5"),
        (lambda m, b: F.mse_loss(m(b[0]).squeeze(1), b[1] * 2.0 - 1), "0"),
    ],
)
def test_a_single_score_is_cut_where_the_step_takes_the_second_class_to_begin(step, threshold):
    case = Case(step, two_classes, parts=ONE)
    seen = observed(case.model(), case.make)
    assert (seen.lacking, seen.single, seen.threshold) == ({}, True, threshold)


def test_a_distance_has_no_class_without_a_person_who_says_from_where_on():
    far = Case(
        lambda m, b: (m(b[0]).square().sum(1) * (1 - b[1]) + b[1] / (1 + m(b[0]).square().sum(1))).mean(), two_classes
    )
    seen = observed(far.model(), far.make)
    assert set(seen.lacking) == {"predict"}
    assert "nothing tells from which score on the answer is the second class" in seen.lacking["predict"]
