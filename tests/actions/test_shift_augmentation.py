"""Training samples are rolled along their last axis; nothing is lost, and classes stay."""

import pytest
import torch

from progtrain.records import Proposal, Refusal


def test_the_training_step_begins_with_it(augments):

    shifted = augments("shift_augmentation", "randomly_shifted", furthest=2)
    inputs, targets = torch.arange(40.0).repeat(64, 3, 1), torch.arange(64)
    rolled, same = shifted(inputs, targets)

    assert same is targets
    assert set(rolled[:, 0, 0].tolist()) == {38, 39, 0, 1, 2}
    for before, after in zip(inputs, rolled, strict=True):
        assert torch.equal(after, before.roll(-int(after[0, 0]), dims=-1))


def test_cannot(augments_no_other):
    augments_no_other("shift_augmentation", furthest=2)


def test_proposes(proposed, signals, training_scripts):
    proposal = proposed("shift_augmentation", training_scripts[0], "overfitting", **signals)

    assert isinstance(proposal, Proposal)
    assert proposal.parameters == {"furthest": 2}
    assert proposal.touches == ("augmentation",)


@pytest.mark.parametrize(
    ("kind", "changes", "reason"),
    [
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
