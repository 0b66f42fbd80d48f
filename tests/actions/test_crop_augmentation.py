"""Training samples are padded with zeros and cut to their size at random places; classes stay."""

import pytest
import torch

from progtrain.records import Call, Proposal, Refusal


def test_signals_are_moved_along_their_last_axis(augments):
    cropped = augments("crop_augmentation", "randomly_cropped", padding=2, images=False)
    inputs, targets = torch.arange(1.0, 41.0).repeat(64, 3, 1), torch.arange(64)
    cut, same = cropped(inputs, targets)

    assert same is targets
    assert cut.shape == inputs.shape
    assert set(cut[:, 0, 2].tolist()) == {1, 2, 3, 4, 5}
    for sample in cut:
        moved = int(sample[0, 2]) - 3
        kept = slice(max(0, -moved), 40 - max(0, moved))
        assert torch.equal(sample[:, kept], (inputs[0] + moved)[:, kept])
        assert torch.count_nonzero(sample) == 3 * (40 - abs(moved))


def test_images_are_moved_along_both_axes(augments):
    cropped = augments("crop_augmentation", "randomly_cropped", padding=1, images=True)
    inputs = torch.arange(1.0, 65.0).reshape(1, 8, 8).repeat(100, 2, 1, 1)
    cut, _ = cropped(inputs, torch.arange(100))

    assert cut.shape == inputs.shape
    assert set(cut[:, 0, 1, 1].tolist()) == {1, 2, 3, 9, 10, 11, 17, 18, 19}
    assert torch.equal(cut[:, 0], cut[:, 1])


@pytest.mark.parametrize("images", [True, False])
def test_cannot(augments_no_other, images):
    augments_no_other("crop_augmentation", padding=2, images=images)


IMAGES = {
    "batch": [{"shape": [64, 3, 32, 24], "dtype": "float32"}, None],
    "calls": (
        Call(function="conv2d", arguments={}),
        Call(function="cross_entropy", arguments={}, shapes=((64, 10), (64,))),
    ),
}


@pytest.mark.parametrize(
    ("changes", "parameters"),
    [({}, {"padding": 5, "images": False}), (IMAGES, {"padding": 3, "images": True})],
)
def test_proposes(proposed, signals, training_scripts, changes, parameters):
    proposal = proposed("crop_augmentation", training_scripts[0], "overfitting", **{**signals, **changes})

    assert isinstance(proposal, Proposal)
    assert proposal.parameters == parameters
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
        (
            "signals",
            {**IMAGES, "batch": [{"shape": [64, 1, 28, 6], "dtype": "float32"}, None]},
            "6 pixels high or wide",
        ),
        ("signals", {"batch": [{"shape": [64, 40], "dtype": "int64"}, None]}, "not a pair of a floating-point tensor"),
        ("signals", {"locks": {"augmentation": "none"}}, "the rules hold augmentation"),
    ],
)
def test_refuses(request, proposed, training_scripts, kind, changes, reason):
    fields = {**request.getfixturevalue(kind), **changes}
    refusal = proposed("crop_augmentation", training_scripts[0], "overfitting", **fields)

    assert isinstance(refusal, Refusal)
    assert reason in refusal.reason
