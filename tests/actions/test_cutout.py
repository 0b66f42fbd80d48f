"""A stretch of every training sample is blanked, in all of its channels."""

import pytest
import torch

from progtrain.records import Proposal, Refusal


def test_the_training_step_begins_with_it(augments):

    blanked = augments("cutout", "cut_out", width=4)
    inputs, targets = torch.ones(200, 3, 40), torch.arange(200)
    varied, same = blanked(inputs, targets)
    begins = varied[:, 0].argmin(dim=1)

    assert same is targets
    assert torch.equal((varied == 0).sum(dim=-1), torch.full((200, 3), 4))
    assert torch.equal(varied[range(200), 2, begins + 3], torch.zeros(200))
    assert (begins.min(), begins.max()) == (0, 36)


def test_cannot(augments_no_other):
    augments_no_other("cutout", width=4)


def test_proposes(proposed, signals, training_scripts):
    proposal = proposed("cutout", training_scripts[0], "overfitting", **signals)

    assert isinstance(proposal, Proposal)
    assert proposal.parameters == {"width": 4}
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
    refusal = proposed("cutout", training_scripts[0], "overfitting", **fields)

    assert isinstance(refusal, Refusal)
    assert reason in refusal.reason
