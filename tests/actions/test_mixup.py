"""Training samples are blended in pairs, and their classes in the same proportion."""

import pytest
import torch

from progtrain.records import Call, Proposal, Refusal

SCORED = Call(function="cross_entropy", arguments={}, shapes=((64, 10), (64,)))
SIGNALS = {"shape": [64, 40], "dtype": "float32"}


def test_the_training_step_begins_with_it(augments):

    mixed = augments("mixup", "mixed_up", classes=10)
    targets = torch.arange(10).repeat(20)
    inputs = torch.nn.functional.one_hot(targets).float()[:, None]
    blends, shares = mixed(inputs, targets)

    assert torch.equal(blends[:, 0], shares)
    assert torch.allclose(shares.sum(dim=1), torch.ones(200))
    assert 50 < (shares.max(dim=1).values < 1).sum() < 200


def test_cannot(augments_no_other):
    augments_no_other("mixup", classes=10)


def test_proposes(proposed, signals, training_scripts):
    proposal = proposed("mixup", training_scripts[0], "overfitting", **signals)

    assert isinstance(proposal, Proposal)
    assert proposal.parameters == {"classes": 10}
    assert proposal.touches == ("augmentation",)


@pytest.mark.parametrize(
    ("kind", "changes", "reason"),
    [
        ("signals", {"compared": ("inputs", "targets")}, "what is made of them"),
        ("signals", {"compared": ()}, "not known to be a batch's targets"),
        ("regression", {}, "not one cross entropy"),
        ("signals", {"calls": (SCORED, Call(function="argmax", arguments={}))}, "measures its answers"),
        ("signals", {"calls": (SCORED.model_copy(update={"shapes": ((64, 10), (64, 10))}),)}, "class numbers"),
        ("signals", {"batch": [{"shape": [64, 40], "dtype": "int64"}, None]}, "not a pair of a floating-point tensor"),
        ("signals", {"batch": [SIGNALS, [SIGNALS, SIGNALS]]}, "one class number a sample"),
        ("signals", {"calls": (), "notes": ("Manual optimization.",)}, "Manual optimization"),
        ("signals", {"locks": {"augmentation": "none"}}, "the rules hold augmentation"),
    ],
)
def test_refuses(request, proposed, training_scripts, kind, changes, reason):
    fields = {**request.getfixturevalue(kind), **changes}
    refusal = proposed("mixup", training_scripts[0], "overfitting", **fields)

    assert isinstance(refusal, Refusal)
    assert reason in refusal.reason
