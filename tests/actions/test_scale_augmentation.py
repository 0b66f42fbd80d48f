"""Training samples are measured louder or more quietly, each by one factor."""

import pytest
import torch

from progtrain.records import Proposal, Refusal


def test_the_training_step_begins_with_it(augments):

    scaled = augments("scale_augmentation", "randomly_scaled", most=0.2)
    inputs, targets = torch.ones(500, 3, 40), torch.arange(500)
    varied, same = scaled(inputs, targets)

    assert same is targets
    assert torch.equal(varied, varied[:, :1, :1].expand_as(varied))
    assert 0.8 <= varied.min() < 0.82 < 1.18 < varied.max() <= 1.2


def test_cannot(augments_no_other):
    augments_no_other("scale_augmentation", most=0.2)


def test_proposes(proposed, signals, training_scripts):
    proposal = proposed("scale_augmentation", training_scripts[0], "overfitting", **signals)

    assert isinstance(proposal, Proposal)
    assert proposal.parameters == {"most": 0.2}
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
    refusal = proposed("scale_augmentation", training_scripts[0], "overfitting", **fields)

    assert isinstance(refusal, Refusal)
    assert reason in refusal.reason
