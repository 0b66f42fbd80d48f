"""A connection around hidden layers of equal widths, listed or called."""

import pytest

from progtrain.records import Refusal

DEFINITION = '''\
class Residual(nn.Module):
    """Adds what a block reads to what it answers."""

    def __init__(self, *layers):
        super().__init__()
        self.block = nn.Sequential(*layers)

    def forward(self, inputs):
        return inputs + self.block(inputs)


'''
HEAD = "from torch import nn\n\n\n"
NET = (
    "# the model\nnet = nn.Sequential(nn.Linear(40, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))\n"
)
LINES = """\
def make(h):
    return nn.Sequential(
        nn.Linear(40, h),
        nn.ReLU(),
        nn.Linear(h, h),  # square
        nn.BatchNorm1d(h),
        nn.ReLU(),
        nn.Linear(h, 10),
    )
"""
CALLED = """\
from torch import nn
from torch.nn import functional as F

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(40, 64)
        self.fc2 = nn.Linear(64, 64)
        self.head = nn.Linear(64, 10)

    def forward(self, x):
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))  # square
        return self.head(x)
"""
TABLE = {
    "on one line": (
        HEAD + NET,
        HEAD + DEFINITION + NET.replace("nn.Linear(64, 64), nn.ReLU()", "Residual(nn.Linear(64, 64), nn.ReLU())"),
    ),
    "on lines": (
        HEAD + LINES,
        HEAD
        + DEFINITION
        + LINES.replace(
            """\
        nn.Linear(h, h),  # square
        nn.BatchNorm1d(h),
        nn.ReLU(),
""",
            """\
        Residual(
            nn.Linear(h, h),  # square
            nn.BatchNorm1d(h),
            nn.ReLU(),
        ),
""",
        ),
    ),
    "called in forward": (CALLED, CALLED.replace("x = F.relu(self.fc2", "x = x + F.relu(self.fc2")),
}


@pytest.mark.parametrize("name", TABLE)
def test_becomes(becomes, name):
    becomes("residual_connection", *TABLE[name])


@pytest.mark.parametrize(
    ("source", "match"),
    [
        (HEAD + NET.replace("64, 64", "64, 32"), "found none"),
        (HEAD + NET + "class Residual:\n    pass\n", "to be free"),
        (CALLED.replace("F.relu(self.fc2(x))", "F.relu(self.fc2(self.drop(x)))"), "found none"),
        (HEAD, "found none"),
    ],
)
def test_cannot(cannot, source, match):
    cannot("residual_connection", source, match)


def test_refuses(proposed):
    refusal = proposed("residual_connection", HEAD + NET, "underfitting", locks={"computation": "fixed"})

    assert isinstance(refusal, Refusal)
    assert "the rules hold computation" in refusal.reason
