"""The figures of 03_eval.py beside those that a script logs itself."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from progtrain.evaluation.scoring.agreement import Logged, agreement_of, in_words, within_draws
from progtrain.evaluation.scoring.metrics import measure_for, value_of

NO_FILE = Path("there is no metrics.py")
NAMES = {"loss": "val_loss", "accuracy": "val/acc"}


def held(predictions, values, batch_size=32, names=NAMES, **circumstances):
    logged = Logged({name: np.atleast_1d(value).tolist() for name, value in values.items()}, names, **circumstances)
    return agreement_of(logged, predictions, "classification", batch_size, NO_FILE)


def part(predictions, rows):
    names = ("sample_ids", "targets", "outputs", "answers", "losses")
    return replace(predictions, **{name: getattr(predictions, name)[rows] for name in names})


def figures(predictions, rows=slice(None)):
    right = predictions.answers[rows] == predictions.targets[rows]
    return {"val_loss": float(predictions.losses[rows].mean()), "val/acc": float(right.mean())}


def test_figures_over_all_samples_agree(classified):
    predictions = classified()
    found = held(predictions, figures(predictions))
    assert [(each.metric, each.counted, each.agrees) for each in found.compared] == [
        ("loss", "samples", True),
        ("accuracy", "samples", True),
    ]
    assert (found.disagreement, found.reason) == ("", "")


def test_the_mean_over_batches_of_unlike_sizes_agrees(classified):
    predictions = classified(count=100)
    parts = [slice(0, 70), slice(70, 100)]
    values = {name: np.mean([figures(predictions, part)[name] for part in parts]) for name in ("val_loss", "val/acc")}
    assert abs(values["val_loss"] / figures(predictions)["val_loss"] - 1) > 0.005
    assert {each.counted for each in held(predictions, values, batch_size=70).compared} == {"batches"}


@pytest.mark.parametrize("name", ["val_loss_epoch", "val_loss/dataloader_idx_1"])
def test_lightnings_own_endings_of_a_name_are_known(classified, name):
    predictions = classified()
    (compared,) = held(predictions, {name: figures(predictions)["val_loss"]}).compared
    assert (compared.metric, compared.agrees) == ("loss", True)


def test_of_what_training_and_validation_log_by_one_name_the_nearest_is_compared(classified):
    predictions = classified()
    own = figures(predictions)["val_loss"]
    assert not held(predictions, {"val_loss": (own, 0.8 * own)}).disagreeing
    (compared,) = held(predictions, {"val_loss": (0.5 * own, 0.8 * own)}).disagreeing
    assert compared.logged == pytest.approx(0.8 * own)


def test_a_part_that_the_script_validates_on_is_held_against_that_part(classified):
    predictions = classified(skill=0.5)
    assert not held(predictions, figures(predictions, slice(0, 64)), samples=64).disagreeing
    again = held(predictions, figures(predictions, slice(0, 64)), samples=64, shuffled=True)
    assert (again.compared, again.reason) == ((), "the script validates on 64 of 400 samples, drawn anew")


def test_another_figure_is_named_beside_the_own_one(classified):
    predictions = classified()
    found = held(predictions, {"val_loss": 1.5, "val/acc": 0.26})
    assert [each.metric for each in found.disagreeing] == ["loss", "accuracy"]
    told = in_words(found)
    assert f"loss is {predictions.losses.mean():.4g}, the script logs val_loss 1.5" in told
    assert "the script logs val/acc 0.26" in told
    assert "split(), outputs() or loss() of 03_eval.py" in told
    assert "LOGGED" in told


def test_where_answers_alone_differ_predict_is_the_likely_cause(classified):
    predictions = classified()
    told = in_words(held(predictions, {**figures(predictions), "val/acc": 0.26}))
    assert "predict() of 03_eval.py answers otherwise" in told


@pytest.mark.parametrize(
    ("values", "names", "failure", "reason"),
    [
        ({}, NAMES, "", "the script logs no val_loss or val/acc"),
        ({"val_loss": 1.0}, {}, "", "LOGGED in 03_eval.py names nothing that the script logs"),
        ({"val_loss": float("nan")}, NAMES, "", "the script logs no val_loss or val/acc"),
        ({}, NAMES, "its own validation raises KeyError: 'x'", "its own validation raises KeyError: 'x'"),
    ],
)
def test_where_there_is_nothing_to_hold_against_it_says_why(classified, values, names, failure, reason):
    found = held(classified(), values, names=names, failure=failure)
    assert (found.compared, found.reason) == ((), reason)


def test_one_sample_at_the_threshold_is_no_disagreement(classified):
    predictions = classified(count=50)
    accuracy = figures(predictions)["val/acc"]
    assert not held(predictions, {"val/acc": accuracy + 1 / 50}).disagreeing
    assert held(predictions, {"val/acc": accuracy + 2 / 50}).disagreeing


def test_what_cannot_be_computed_is_not_compared(classified):
    predictions = classified()
    unknown = replace(predictions, losses=np.full_like(predictions.losses, np.nan))
    assert [each.metric for each in held(unknown, figures(predictions)).compared] == ["accuracy"]
    found = held(unknown, {"val_loss": 1.0}, names={"loss": "val_loss"})
    assert (found.compared, found.reason) == ((), "none of the figures could be computed")


def test_a_metric_that_lightning_averages_over_batches_agrees(classified):
    predictions = classified(count=50)
    rows = slice(0, 32), slice(32, 50)
    each = [value_of(measure_for("f1_macro", "classification", NO_FILE), part(predictions, row)) for row in rows]
    averaged = np.average(each, weights=(32, 18))
    (compared,) = held(predictions, {"val_f1": averaged}, names={"f1_macro": "val_f1"}).compared
    assert (compared.counted, compared.agrees) == ("batches, by their size", True)
    assert abs(averaged - value_of(measure_for("f1_macro", "classification", NO_FILE), predictions)) > 1e-3


def test_where_the_script_makes_its_batches_itself_samples_are_counted(classified):
    predictions = classified()
    assert {each.counted for each in held(predictions, figures(predictions), batch_size=None).compared} == {"samples"}


@pytest.mark.parametrize(("off", "agrees"), [(1.0, True), (1.015, True), (1.04, False), (0.96, False)])
def test_a_loss_may_differ_by_what_half_precision_makes_of_it(classified, off, agrees):
    predictions = classified()
    (compared,) = held(predictions, {"val_loss": off * figures(predictions)["val_loss"]}).compared
    assert compared.agrees is agrees


def test_a_share_in_percent_agrees(classified):
    predictions = classified()
    (compared,) = held(predictions, {"val/acc": 100 * figures(predictions)["val/acc"]}).compared
    assert (compared.counted, compared.agrees) == ("samples, in percent", True)
    assert held(predictions, {"val/acc": 90 * figures(predictions)["val/acc"]}).disagreeing


def test_an_accuracy_that_is_a_mean_over_classes_agrees(classified):
    predictions = classified(count=400)
    kept = part(predictions, np.flatnonzero((predictions.targets != 0) | (np.arange(400) % 8 == 0)))
    kept = replace(kept, answers=np.where(kept.targets == 0, 0, kept.answers))  # the rare class is always known
    over_classes = value_of(measure_for("accuracy_macro", "classification", NO_FILE), kept)
    assert abs(over_classes - figures(kept)["val/acc"]) > 0.01
    (compared,) = held(kept, {"val/acc": over_classes}).compared
    assert (compared.counted, compared.agrees) == ("samples, a mean over classes", True)


def drawn(predictions, spread, count=5):
    """The agreements of a validation that draws, the script having logged a figure of its own draw."""
    losses = [float(predictions.losses.mean()) + spread * shift for shift in (0, 1, -1, 0.5, -0.5)[:count]]
    shifted = [replace(predictions, losses=predictions.losses + loss - predictions.losses.mean()) for loss in losses]
    return [held(each, {"val_loss": 1.05 * float(predictions.losses.mean())}) for each in shifted]


def test_a_figure_of_a_validation_that_draws_is_held_against_how_far_draws_lie_apart(classified):
    predictions = classified()
    first, *others = drawn(predictions, spread=0.02)
    assert first.disagreeing
    assert not within_draws(first, others).disagreeing
    assert "draws random numbers" in within_draws(first, others).reason
    first, *others = drawn(predictions, spread=0.0001)
    assert within_draws(first, others).disagreeing
    first, *others = drawn(predictions, spread=0.0)
    assert within_draws(first, others) == first
