"""What a forward adds to its own input begins ten times smaller, block by block."""

import pytest
import torch
from torch import nn

from progtrain.actions import action_named
from progtrain.records import Proposal, Refusal
from progtrain.script.capturing.observe_initialization import initialization

BLOCK = """\
from torch import nn
from torch.nn import functional as F

class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.conv1 = nn.Conv2d(width, width, 3, padding=1)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)
        self.bn2 = nn.BatchNorm2d(width)
        self.shortcut = nn.Identity() if width else None

    def forward(self, x):
        identity = x
        out = F.relu(self.conv1(x))
        out = self.bn2(self.conv2(out))
        out += identity
        return F.relu(out)
"""
CALLED = """\
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(8, 4)
        self.fc2 = nn.Linear(4, 4)

    def forward(self, x):
        x = torch.relu(self.fc1(x))
        x = x + torch.relu(self.fc2(x))
        return x  # four numbers
"""
LISTED = """\
from torch import nn

class Residual(nn.Module):
    def __init__(self, *layers):
        super().__init__()
        self.block = nn.Sequential(*layers)

    def forward(self, inputs):
        return inputs + self.block(inputs)
"""
SPELLED = LISTED.replace("*layers", "d").replace(
    "Sequential(d)", "Sequential(nn.Linear(d, d), nn.ReLU(), nn.Dropout())"
)


def shrunk(source, last, line):
    loop = f"        for parameter in {last}.parameters():\n            parameter.data.mul_(0.1)\n"
    return source.replace(line, line + loop)


SHORTCUT = "        self.shortcut = nn.Identity() if width else None\n"
TABLE = {
    "a block": (BLOCK, shrunk(BLOCK, "self.bn2", SHORTCUT)),
    "a block with a shortcut": (
        BLOCK.replace(
            "        out += identity\n        return F.relu(out)", "        return F.relu(self.shortcut(x) + out)"
        ),
        shrunk(BLOCK, "self.bn2", SHORTCUT).replace(
            "        out += identity\n        return F.relu(out)", "        return F.relu(self.shortcut(x) + out)"
        ),
    ),
    "called": (CALLED, shrunk(CALLED, "self.fc2", "        self.fc2 = nn.Linear(4, 4)\n")),
    "any layers": (
        LISTED,
        shrunk(
            LISTED,
            "[layer for layer in self.block if list(layer.parameters())][-1]",
            "        self.block = nn.Sequential(*layers)\n",
        ),
    ),
    "a list": (
        SPELLED,
        shrunk(
            SPELLED, "self.block[0]", "        self.block = nn.Sequential(nn.Linear(d, d), nn.ReLU(), nn.Dropout())\n"
        ),
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_becomes(becomes, name):
    becomes("smaller_residual_initialization", *TABLE[name])


@pytest.mark.parametrize(
    ("source", "match"),
    [
        (CALLED.replace("x + torch", "torch"), "found none"),
        # Two parts of one sum, neither of which reads the other: positions, not a branch.
        (CALLED.replace("x + torch.relu(self.fc2(x))", "self.fc1(x) + self.fc2(x)"), "found none"),
        (CALLED.replace("x + torch.relu(self.fc2(x))", "x + self.fc2(torch.ones(4))"), "found none"),
        (SPELLED.replace("nn.ReLU()", "Own()"), "found none"),
        (LISTED.replace("self.block = nn.Sequential", "self.block = Own"), "found none"),
        (CALLED.replace("x + torch", "x * torch"), "found none"),
        # What has weights of its own, or may have, is the branch's last; not the layer before it.
        (CALLED.replace("x + torch.relu(", "x + self.rnn("), "found none"),
        (CALLED.replace("x + torch.relu(", "x + torch.matmul("), "found none"),
    ],
)
def test_cannot(cannot, source, match):
    cannot("smaller_residual_initialization", source, match)


@pytest.mark.parametrize("normalized", [True, False])
def test_the_snapshot_tells_it(normalized):
    torch.manual_seed(0)
    source = BLOCK if normalized else CALLED
    scope = {"__name__": "child"}
    exec(action_named("smaller_residual_initialization").apply(source, {}), scope)
    block = scope["Block"](3) if normalized else scope["Net"]()

    assert ("scales 0.1" in initialization(block)) is normalized
    assert any("times torch's" in way for way in initialization(block)) is not normalized


def test_a_scale_of_one_is_not_told():
    assert (
        initialization(nn.Sequential(nn.BatchNorm1d(4), nn.LayerNorm(4), nn.LayerNorm(4, elementwise_affine=False)))
        == ()
    )


def test_proposes(proposed):
    proposal = proposed("smaller_residual_initialization", BLOCK, "early-instability")

    assert isinstance(proposal, Proposal)
    assert proposal.change == "residual branches begin at 0.1 times what is drawn, by self.bn2"
    assert proposal.touches == ("initialization",)


@pytest.mark.parametrize(
    ("finding", "fields", "reason"),
    [
        ("slow", {"initialization": ("weights kaiming",)}, "draws its weights itself: weights kaiming"),
        ("slow", {"locks": {"initialization": "torch"}}, "the rules hold initialization"),
    ],
)
def test_refuses(proposed, finding, fields, reason):
    refusal = proposed("smaller_residual_initialization", BLOCK, finding, **fields)

    assert isinstance(refusal, Refusal)
    assert reason in refusal.reason
