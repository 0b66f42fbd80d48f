"""Hidden widths are doubled where they come from; input and output sizes stay."""

import pytest

from progtrain.records import Layer, Proposal, Refusal

TABLE = {
    "literals, with normalization": (
        """\
        from torch import nn

        net = nn.Sequential(
            nn.Linear(40, 64),  # 64 is enough
            nn.BatchNorm1d(64),
            nn.ReLU(),
            nn.Linear(64, 32),
            nn.LayerNorm(32),
            nn.ReLU(),
            nn.Linear(32, 10),
        )
        """,
        """\
        from torch import nn

        net = nn.Sequential(
            nn.Linear(40, 128),  # 64 is enough
            nn.BatchNorm1d(128),
            nn.ReLU(),
            nn.Linear(128, 64),
            nn.LayerNorm(64),
            nn.ReLU(),
            nn.Linear(64, 10),
        )
        """,
        [64, 64, 64, 32, 32, 32],
    ),
    "a constant": (
        """\
        import torch.nn as nn
        HIDDEN = 64

        net = nn.Sequential(nn.Linear(40, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, HIDDEN), nn.Linear(HIDDEN, 10))
        """,
        """\
        import torch.nn as nn
        HIDDEN = 128

        net = nn.Sequential(nn.Linear(40, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, HIDDEN), nn.Linear(HIDDEN, 10))
        """,
        [64],
    ),
    "a default of the constructor": (
        """\
        from torch.nn import Linear, Module
        import torch.nn.functional as F

        class Net(Module):
            def __init__(self, inputs=40, hidden=64, classes=10):
                super().__init__()
                self.fc1 = Linear(inputs, hidden)
                self.fc2 = Linear(hidden, classes)

            def forward(self, x):
                return self.fc2(F.relu(self.fc1(x)))

        net = Net()
        """,
        """\
        from torch.nn import Linear, Module
        import torch.nn.functional as F

        class Net(Module):
            def __init__(self, inputs=40, hidden=128, classes=10):
                super().__init__()
                self.fc1 = Linear(inputs, hidden)
                self.fc2 = Linear(hidden, classes)

            def forward(self, x):
                return self.fc2(F.relu(self.fc1(x)))

        net = Net()
        """,
        [64],
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_becomes(becomes, name):
    before, after, widths = TABLE[name]
    becomes("widen", before, after, old=widths, new=[2 * width for width in widths])


SCRIPT = TABLE["a constant"][0]


@pytest.mark.parametrize(
    ("source", "match"),
    [
        ("import torch\n", "writes no width"),
        (SCRIPT.replace("64", "96"), "got \\[96\\]"),
        ("from torch import nn\nnet = nn.Linear(40, 10)\n", "writes no width"),
    ],
)
def test_cannot(cannot, source, match):
    cannot("widen", source, match, old=[64], new=[128])


@pytest.mark.parametrize(("width", "locks"), [("4096", {}), ("64", {"width": 64})])
def test_refuses(proposed, width, locks):
    assert isinstance(proposed("widen", SCRIPT.replace("64", width), "underfitting", locks=locks), Refusal)


def test_proposes(proposed):
    proposal = proposed("widen", SCRIPT, "underfitting")
    assert isinstance(proposal, Proposal)
    assert proposal.change == "width from 64 to 128"


def test_what_is_very_narrow_is_widened_at_once(proposed):
    layers = (Layer(path="net.0", type="Linear", arguments={"in_features": 40, "out_features": 2}),)
    proposal = proposed("widen", SCRIPT.replace("64", "2"), "underfitting", layers=layers)
    assert isinstance(proposal, Proposal)
    assert proposal.change == "width from 2 to 32"


IN_A_LOOP = """\
from torch import nn

CHANNELS = 0
HIDDEN = 64

parts, width = ([nn.Conv1d(1, CHANNELS, 5)], CHANNELS * 40) if CHANNELS else ([], 40)
for _ in range(3):
    parts += [nn.Linear(width, HIDDEN), nn.ReLU()]
    width = HIDDEN
net = nn.Sequential(*parts, nn.Linear(width, 10))
"""


def test_a_variable_that_takes_on_each_width_follows_and_a_width_of_none_stays(becomes, proposed):
    proposal = proposed("widen", IN_A_LOOP, "underfitting")
    assert isinstance(proposal, Proposal)
    assert proposal.parameters == {"old": [0, 64], "new": [0, 128]}
    becomes("widen", IN_A_LOOP, IN_A_LOOP.replace("64", "128"), **proposal.parameters)


def test_refuses_a_width_that_it_did_not_train_with(proposed):
    refusal = proposed("widen", SCRIPT.replace("64", "32"), "underfitting")
    assert isinstance(refusal, Refusal)
    assert "the script writes width 32, but it trained with" in refusal.reason
