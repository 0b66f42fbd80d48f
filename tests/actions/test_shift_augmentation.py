"""Training samples are rolled along their last axis; nothing is lost, and classes stay."""

import pytest
import torch

from progtrain.records import Call, Proposal, Refusal


def test_the_training_step_begins_with_it(augments):

    shifted = augments("shift_augmentation", "randomly_shifted", furthest=2)
    inputs, targets = torch.arange(40.0).repeat(64, 3, 1), torch.arange(64)
    rolled, same = shifted(inputs, targets)

    assert same is targets
    assert set(rolled[:, 0, 0].tolist()) == {38, 39, 0, 1, 2}
    for before, after in zip(inputs, rolled, strict=True):
        assert torch.equal(after, before.roll(-int(after[0, 0]), dims=-1))


def test_rows_of_a_flat_image_are_shifted(augments):
    shifted = augments("shift_augmentation", "randomly_shifted", furthest=1, side=5)
    inputs = torch.arange(25.0).repeat(64, 1)
    rolled, _ = shifted(inputs, torch.arange(64))

    assert rolled.shape == inputs.shape
    distances = {int(each[0]) for each in rolled}
    assert distances == {4, 0, 1}
    for each in rolled:
        assert torch.equal(each.unflatten(0, (5, 5)), inputs[0].unflatten(0, (5, 5)).roll(-int(each[0]), dims=-1))


def test_proposes_rows_where_a_convolution_reads_flat_inputs_as_images(proposed, training_scripts):
    read = Call(function="conv2d", arguments={}, shapes=((64, 1, 16, 16), (32, 1, 3, 3)))
    scored = Call(function="cross_entropy", arguments={}, shapes=((64, 10), (64,)))
    batch = [{"shape": [64, 256], "dtype": "float32"}, {"shape": [64], "dtype": "int64"}]
    fields = {"batch": batch, "calls": (read, scored)}
    proposal = proposed("shift_augmentation", training_scripts[0], "overfitting", **fields)

    assert isinstance(proposal, Proposal)
    assert proposal.parameters == {"furthest": 2, "side": 16}
    refusal = proposed("cutout", training_scripts[0], "overfitting", **fields)
    assert isinstance(refusal, Refusal)
    assert "flat images of 16 by 16" in refusal.reason


def test_cannot(augments_no_other):
    augments_no_other("shift_augmentation", furthest=2)


def test_proposes(proposed, signals, training_scripts):
    proposal = proposed("shift_augmentation", training_scripts[0], "overfitting", **signals)

    assert isinstance(proposal, Proposal)
    assert proposal.parameters == {"furthest": 2}
    assert proposal.touches == ("augmentation",)


SIGNALS = {"shape": [64, 40], "dtype": "float32"}
PLACES = {"shape": [64, 40], "dtype": "int64"}


@pytest.mark.parametrize(
    ("kind", "changes", "reason"),
    [
        ("signals", {"compared": ("inputs", "targets")}, "what is made of them"),
        ("signals", {"batch": [SIGNALS, PLACES]}, "a class at each of several places"),
        ("regression", {}, "expected one cross entropy"),
        ("table", {}, "no signals or images"),
        ("signals", {"batch": [{"shape": [64, 1, 12], "dtype": "float32"}, None]}, "fewer than 16"),
        ("signals", {"batch": [{"shape": [64, 40], "dtype": "int64"}, None]}, "not a pair of a floating-point tensor"),
        ("signals", {"locks": {"augmentation": "none"}}, "the rules hold augmentation"),
    ],
)
def test_refuses(request, proposed, training_scripts, kind, changes, reason):
    fields = {**request.getfixturevalue(kind), **changes}
    refusal = proposed("shift_augmentation", training_scripts[0], "overfitting", **fields)

    assert isinstance(refusal, Refusal)
    assert reason in refusal.reason
