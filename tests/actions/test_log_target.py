"""The training compares logarithms; whoever asks the model gets answers on the target's own scale."""

from textwrap import dedent

import pytest
import torch

from progtrain.actions import action_named
from progtrain.records import Call, Proposal, Refusal

SCRIPT = """\
import torch
import torch.nn.functional as F

class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(3, 1)

    def forward(self, x):
        return self.layer(x).squeeze(-1)  # prices

    def training_step(self, batch, index):
        x, y = batch
        return F.mse_loss(self(x), y)

    def validation_step(self, batch, index):
        x, y = batch
        return F.mse_loss(self(x), y)
"""
AFTER = SCRIPT.replace(
    "return self.layer(x).squeeze(-1)  # prices", "return torch.expm1(self.layer(x).squeeze(-1))  # prices"
).replace("F.mse_loss(self(x), y)", "F.mse_loss(torch.log1p(self(x)), torch.log1p(y))", 1)
NAMED = """\
from torch import nn, log1p, expm1

class Net:
    def __init__(self):
        self.distance = nn.HuberLoss(delta=2.0)

    def forward(self, x):
        answer = self.net(x)
        return answer

    def training_step(self, batch, index):
        y = batch["y"].unsqueeze(1)
        answer = self.forward(batch["x"])
        return self.distance(answer, y.float())
"""
NAMED_AFTER = NAMED.replace("return answer", "return expm1(answer)").replace(
    "(answer, y.float())", "(log1p(answer), log1p(y.float()))"
)
TABLE = {
    "a function": (SCRIPT, AFTER),
    "a module": (NAMED, NAMED_AFTER),
    "by index": (
        SCRIPT.replace("self(x), y", "self(batch[0]), batch[1]"),
        AFTER.replace("log1p(self(x)), torch.log1p(y)", "log1p(self(batch[0])), torch.log1p(batch[1])").replace(
            "self(x), y", "self(batch[0]), batch[1]"
        ),
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_becomes(becomes, name):
    becomes("log_target", *TABLE[name])


@pytest.mark.parametrize(
    ("source", "match"),
    [
        (
            SCRIPT.replace("        return self.layer", "        if x: return 0\n        return self.layer"),
            "one return",
        ),
        (
            SCRIPT.replace("def training_step", "def step") + "    def training_step(self, b, i): self.step(b)\n",
            "shares",
        ),
        (SCRIPT.replace("self(x), y)", "self.layer(x), y)", 1), "Line 14: self.layer is called past forward"),
        (SCRIPT.replace("self(x), y)", "other(x), y)", 1), "Line 14: expected the loss of self"),
        (SCRIPT.replace("self(x), y)", "self(x), y / 100)", 1), "Line 14: expected the batch's targets as they are"),
        (
            SCRIPT.replace("        return F", "        y = y.log()\n        return F", 1),
            "Line 15: expected the batch's",
        ),
        (SCRIPT + "\ndef set_output_bias(model):\n    pass\n", "Take that back first"),
    ],
)
def test_cannot(cannot, source, match):
    cannot("log_target", source, match)


def test_validation_is_on_the_targets_scale_and_training_on_the_logarithms():
    scope = {"__name__": "child"}
    exec(action_named("log_target").apply(dedent(SCRIPT), {}), scope)
    torch.manual_seed(0)
    net, x, y = scope["Net"](), torch.rand(8, 3), torch.rand(8) * 100
    estimated = net.layer(x).squeeze(-1)

    assert torch.allclose(net(x), estimated.exp() - 1, atol=1e-6)
    assert net.validation_step((x, y), 0).item() == pytest.approx(((estimated.exp() - 1 - y) ** 2).mean().item())
    assert net.training_step((x, y), 0).item() == pytest.approx(((estimated - (1 + y).log()) ** 2).mean().item())


def test_proposes(proposed, regression):
    proposal = proposed("log_target", SCRIPT, "skewed-target", **regression)

    assert isinstance(proposal, Proposal)
    assert proposal.touches == ("computation", "loss")


LINEAR = Call(function="linear", arguments={})
SQUARED = Call(function="mse_loss", arguments={})


@pytest.mark.parametrize(
    ("finding", "fields", "reason"),
    [
        ("overfitting", {}, "not known to be positive and skewed"),
        ("skewed-target", {"calls": (Call(function="cross_entropy", arguments={}),)}, "got ['cross_entropy']"),
        ("skewed-target", {"calls": (LINEAR, Call(function="sigmoid", arguments={}), SQUARED)}, "through sigmoid"),
        ("skewed-target", {"calls": (LINEAR, Call(function="exp", arguments={}), SQUARED)}, "exponentials already"),
        ("skewed-target", {"locks": {"loss": "mse"}}, "the rules hold loss"),
    ],
)
def test_refuses(proposed, regression, finding, fields, reason):
    refusal = proposed("log_target", SCRIPT, finding, **{**regression, **fields})

    assert isinstance(refusal, Refusal)
    assert reason in refusal.reason
