"""The training's cross entropy becomes focal loss; what validation measures by itself stays."""

import math

import pytest
import torch
import torch.nn.functional as F

from progtrain.actions import action_named
from progtrain.records import Call, Proposal, Refusal

SCRIPT = """\
import torch.nn.functional as F

# the model
class Net:
    def training_step(self, batch, index):
        x, y = batch
        return F.cross_entropy(self(x), y)  # nats

    def validation_step(self, batch, index):
        return F.cross_entropy(self(batch[0]), batch[1])
"""
DEFINITION = '''\
def focal_loss(scores, targets):
    """Cross entropy times (1 - p) ** 2, p the probability of the right class (arXiv 1708.02002)."""
    losses = F.cross_entropy(scores, targets, reduction="none")
    return ((1 - (-losses).exp()) ** 2 * losses).mean()


'''
HELD = """\
import torch.nn as nn

class Net:
    def __init__(self):
        self.loss = nn.CrossEntropyLoss()

    def training_step(self, batch, index):
        return self.loss(self(batch[0]), batch[1])
"""
MEASURING = "\n    def validation_step(self, batch, index):\n        return self.loss(self(batch[0]), batch[1])\n"


def defined(script, name="F.cross_entropy"):
    """The script with the loss defined above its class."""
    place = script.index("# the model") if "# the model" in script else script.index("class Net")
    return script[:place] + DEFINITION.replace("F.cross_entropy", name) + script[place:]


TABLE = {
    "the training step's": (SCRIPT, defined(SCRIPT).replace("return F.cross_entropy", "return focal_loss", 1)),
    "a shared step": (
        SCRIPT.replace("training_step", "step"),
        defined(SCRIPT.replace("training_step", "step")).replace("return F.cross_entropy", "return focal_loss", 1),
    ),
    "a module": (HELD, defined(HELD, "nn.functional.cross_entropy").replace("nn.CrossEntropyLoss()", "focal_loss")),
    "a module that validation measures by": (
        HELD + MEASURING,
        defined(HELD + MEASURING, "nn.functional.cross_entropy").replace("self.loss(", "focal_loss(", 1),
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_becomes(becomes, name):
    becomes("focal_loss", *TABLE[name])


@pytest.mark.parametrize(
    ("source", "match"),
    [
        (SCRIPT.replace("y)  #", "y, weight=w)  #"), "Line 7: expected a cross entropy of scores and targets alone"),
        (SCRIPT.replace("training_step", "test_step"), "found none"),
        (HELD.replace("Loss()", "Loss(ignore_index=0)"), "found none"),
        (SCRIPT + "\nfocal_loss = 1\n", "name focal_loss to be free"),
    ],
)
def test_cannot(cannot, source, match):
    cannot("focal_loss", source, match)


def test_computes_the_formula_of_the_paper():
    source = action_named("focal_loss").apply(SCRIPT, {})
    scope = {"F": F}
    exec(source[source.index("def focal_loss") : source.index("# the model")], scope)
    scores, targets = torch.tensor([[2.0, 0.0], [0.0, 1.0]]), torch.tensor([0, 0])

    shares = [math.exp(2) / (math.exp(2) + 1), 1 / (1 + math.e)]
    expected = sum(-((1 - share) ** 2) * math.log(share) for share in shares) / 2
    assert scope["focal_loss"](scores, targets).item() == pytest.approx(expected)


def test_proposes(proposed, table):
    proposal = proposed("focal_loss", SCRIPT, "imbalanced", **table)

    assert isinstance(proposal, Proposal)
    assert proposal.change == "the cross entropy of 10 classes becomes focal loss, with an exponent of 2"
    assert proposal.touches == ("computation", "loss")


SCORES = ((64, 10), (64,))


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"calls": (Call(function="mse_loss", arguments={}),)}, "not one cross entropy"),
        ({"calls": (Call(function="cross_entropy", arguments={}, shapes=(*SCORES, (10,))),)}, "weighted already"),
        (
            {"calls": (Call(function="cross_entropy", arguments={"label_smoothing": 0.1}, shapes=SCORES),)},
            "labels are smoothed",
        ),
        ({"locks": {"loss": "cross entropy"}}, "the rules hold loss"),
    ],
)
def test_refuses(proposed, table, fields, reason):
    refusal = proposed("focal_loss", SCRIPT, "imbalanced", **{**table, **fields})

    assert isinstance(refusal, Refusal)
    assert reason in refusal.reason
