"""Weights are drawn for ReLU once the model is made, those of the last layer excepted."""

import pytest

from progtrain.records import Call, Layer, Proposal, Refusal

SCRIPT = """\
import torch
import torch.nn.functional as F
from torch import nn


class Net(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(40, 64), nn.ReLU(), nn.Linear(64, 10))

    def forward(self, x):
        '''Scores.'''
        return self.net(x)

    def training_step(self, batch, index):
        x, y = batch
        return F.cross_entropy(self(x), y)
"""

FUNCTION = """\
def draw_weights(model):
    \"\"\"Kaiming's normal distribution for every layer but the last (arXiv 1502.01852).\"\"\"
    for layer in [part for part in model.modules() if isinstance(part, nn.Linear)][:-1]:
        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)


"""


def drawn(script: str) -> str:
    called = script.replace("\n\n    def forward", "\n        draw_weights(self)\n\n    def forward")
    return called.replace("class Net", FUNCTION + "class Net")


LOOP = SCRIPT.replace(
    "self.net = nn.Sequential(nn.Linear(40, 64), nn.ReLU(), nn.Linear(64, 10))",
    "self.net = nn.Sequential()\n        for i in range(2):\n            self.net.append(nn.Linear(40, 40))  # square",
)
FINAL = ("class Net", "@final\nclass Net")
RETURNING = ("        self.net =", "        if not net:\n            return\n        self.net =")
TABLE = {
    "a list": (SCRIPT, drawn(SCRIPT)),
    "a loop at the end": (LOOP, drawn(LOOP)),
    "decorated": (SCRIPT.replace(*FINAL), drawn(SCRIPT).replace(*FINAL)),
    "carriage returns": (SCRIPT.replace("\n", "\r\n"), drawn(SCRIPT).replace("\n", "\r\n")),
}


@pytest.mark.parametrize("name", TABLE)
def test_becomes(becomes, name):
    becomes("kaiming_initialization", *TABLE[name], kinds=["Linear"])


def test_several_kinds(becomes):
    after = drawn(SCRIPT).replace("isinstance(part, nn.Linear)", "isinstance(part, (nn.Linear, nn.Conv1d))")
    becomes("kaiming_initialization", SCRIPT, after, kinds=["Linear", "Conv1d"])


@pytest.mark.parametrize(
    ("source", "match"),
    [
        (SCRIPT.replace("training_step", "step"), "found 0"),
        (SCRIPT.replace("__init__(self)", "build(self)"), "expected an __init__ that runs to its end"),
        (SCRIPT.replace(*RETURNING), "expected an __init__"),
    ],
)
def test_cannot(cannot, source, match):
    cannot("kaiming_initialization", source, match, kinds=["Linear"])


def test_proposes(proposed):
    proposal = proposed("kaiming_initialization", SCRIPT, "slow")

    assert isinstance(proposal, Proposal)
    assert proposal.parameters == {"kinds": ["Linear"]}
    assert proposal.touches == ("initialization",)


RELU = Call(function="relu", arguments={})


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"calls": (RELU, Call(function="tanh", arguments={}))}, "made for ReLU"),
        ({"calls": (RELU, Call(function="batch_norm", arguments={}))}, "normalized"),
        ({"initialization": ("weights xavier",)}, "draws its weights itself: weights xavier"),
        ({"layers": (Layer(path="rnn", type="LSTM", arguments={}, parameters=9),) * 2}, "all of Linear, Conv1d"),
        ({"locks": {"initialization": "torch"}}, "the rules hold initialization"),
    ],
)
def test_refuses(proposed, fields, reason):
    refusal = proposed("kaiming_initialization", SCRIPT, "slow", **fields)

    assert isinstance(refusal, Refusal)
    assert reason in refusal.reason
