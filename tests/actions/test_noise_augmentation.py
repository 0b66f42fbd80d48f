"""Training inputs get noise in proportion to each value's own spread."""

import pytest
import torch

from progtrain.records import Proposal, Refusal


def test_the_training_step_begins_with_it(augments):

    noisy = augments("noise_augmentation", "with_noise", strength=0.1)
    inputs, targets = torch.randn(5000, 2) * torch.tensor([1.0, 100.0]), torch.arange(5000)
    varied, same = noisy(inputs, targets)

    assert same is targets
    assert torch.allclose((varied - inputs).std(dim=0), 0.1 * inputs.std(dim=0), rtol=0.05)
    assert torch.equal(noisy(inputs[:1], targets[:1])[0], inputs[:1])


def test_cannot(augments_no_other):
    augments_no_other("noise_augmentation", strength=0.1)


def test_proposes(proposed, signals, training_scripts):
    proposal = proposed("noise_augmentation", training_scripts[0], "overfitting", **signals)

    assert isinstance(proposal, Proposal)
    assert proposal.parameters == {"strength": 0.05}
    assert proposal.touches == ("augmentation",)


@pytest.mark.parametrize(
    ("kind", "changes", "reason"),
    [
        ("signals", {"compared": ("inputs", "targets")}, "what is made of them"),
        ("signals", {"batch": {"x": [64, 40]}}, "not a pair of a floating-point tensor"),
        ("signals", {"batch": [{"shape": [64, 40], "dtype": "int64"}, None]}, "not a pair of a floating-point tensor"),
        ("signals", {"locks": {"augmentation": "none"}}, "the rules hold augmentation"),
    ],
)
def test_refuses(request, proposed, training_scripts, kind, changes, reason):
    fields = {**request.getfixturevalue(kind), **changes}
    refusal = proposed("noise_augmentation", training_scripts[0], "overfitting", **fields)

    assert isinstance(refusal, Refusal)
    assert reason in refusal.reason
