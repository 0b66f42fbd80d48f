"""Every ReLU, module or function, becomes GELU."""

import pytest

from progtrain.records import Proposal, Refusal

TABLE = {
    "modules": (
        "from torch import nn\nnet = nn.Sequential(nn.Linear(4, 2), nn.ReLU(inplace=True), nn.ReLU())  # dead\n",
        "from torch import nn\nnet = nn.Sequential(nn.Linear(4, 2), nn.GELU(), nn.GELU())  # dead\n",
    ),
    "functions, one within another": (
        "import torch.nn.functional as F\ny = F.relu(b(F.relu(a(x))), inplace=True)\n",
        "import torch.nn.functional as F\ny = F.gelu(b(F.gelu(a(x))))\n",
    ),
    "torch.relu": (
        "import torch\nfrom torch import nn\ny = torch.relu(x)\n",
        "import torch\nfrom torch import nn\ny = nn.functional.gelu(x)\n",
    ),
    "imported by name": (
        "from torch.nn import ReLU, Sequential\nnet = Sequential(ReLU(True))\n",
        "from torch.nn import Sequential\nfrom torch.nn import GELU\nnet = Sequential(GELU())\n",
    ),
    "the class itself": (
        "from torch import nn\nnet = build(activation=nn.ReLU)\n",
        "from torch import nn\nnet = build(activation=nn.GELU)\n",
    ),
}

NAMED = """\
import torch.nn.functional as F
from torch import nn

ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh, "gelu": nn.GELU}


class Net(nn.Module):
    def __init__(self, activation="relu"):
        self.act = ACTIVATIONS[activation]()


net = Net()
"""
GIVEN = NAMED.replace("Net()\n", 'Net(activation="relu")\n')
WITHOUT = NAMED.replace(', "gelu": nn.GELU', "")
BRANCHES = """\
from torch import nn


def made(name):
    if name == "relu":
        return nn.ReLU(inplace=True)
    elif name == "gelu":
        return nn.GELU()
    return nn.Tanh()


ACTIVATION = "relu"
net = nn.Sequential(nn.Linear(4, 2), made(ACTIVATION))
"""
ATTRIBUTE = NAMED.replace('activation="relu"', 'activation="ReLU"').replace(
    "ACTIVATIONS[activation]", "getattr(nn, activation)"
)
BY_NAME = {
    "a default": (NAMED, NAMED.replace('="relu"', '="gelu"')),
    "an argument": (GIVEN, GIVEN.replace('Net(activation="relu")', 'Net(activation="gelu")')),
    "an entry more": (
        WITHOUT,
        WITHOUT.replace('="relu"', '="gelu"').replace("nn.ReLU,", 'nn.ReLU, "gelu": nn.GELU,'),
    ),
    "modules in a table": (
        WITHOUT.replace("nn.ReLU,", "nn.ReLU(inplace=True),").replace("]()", "]"),
        WITHOUT.replace('="relu"', '="gelu"')
        .replace("nn.ReLU,", 'nn.ReLU(inplace=True), "gelu": nn.GELU(),')
        .replace("]()", "]"),
    ),
    "get": (
        NAMED.replace("[activation]", ".get(activation)"),
        NAMED.replace("[activation]", ".get(activation)").replace('="relu"', '="gelu"'),
    ),
    "getattr": (ATTRIBUTE, ATTRIBUTE.replace('="ReLU"', '="GELU"')),
    "__dict__ of the functions": (
        NAMED.replace("ACTIVATIONS[activation]()", "F.__dict__[activation]"),
        NAMED.replace("ACTIVATIONS[activation]()", "F.__dict__[activation]").replace('="relu"', '="gelu"'),
    ),
    "branches": (BRANCHES, BRANCHES.replace('ACTIVATION = "relu"', 'ACTIVATION = "gelu"')),
    "a setting is no name": (
        NAMED.replace('"relu": nn.ReLU', '"activation": nn.ReLU').replace("[activation]", '["activation"]'),
        NAMED.replace('"relu": nn.ReLU', '"activation": nn.GELU').replace("[activation]", '["activation"]'),
    ),
}


@pytest.mark.parametrize("name", BY_NAME)
def test_a_name_is_changed_where_it_is_given(becomes, name):
    becomes("gelu", *BY_NAME[name])


@pytest.mark.parametrize(
    ("source", "match"),
    [
        (NAMED.replace("net = Net()", "net = Net(input())"), "chooses among activations by name, and it comes from"),
        (BRANCHES.replace('name == "gelu"', 'name == "elu"').replace("GELU", "ELU"), "Line 6: no name chooses"),
        (NAMED.replace('="relu"', '="tanh"'), "Nothing to replace"),
    ],
)
def test_a_name_cannot_be_changed(cannot, source, match):
    cannot("gelu", source, match)


@pytest.mark.parametrize("name", TABLE)
def test_becomes(becomes, name):
    becomes("gelu", *TABLE[name])


@pytest.mark.parametrize("source", ["import torch\n", "from torch import nn\nnn.Tanh()\n", "ReLU()\n"])
def test_cannot(cannot, source):
    cannot("gelu", source, "Nothing to replace")


def test_proposes_for_dead_units(proposed):
    proposal = proposed("gelu", TABLE["modules"][0], "dead-units")
    assert isinstance(proposal, Proposal)
    assert proposal.change == "2 ReLU become GELU"
    assert isinstance(proposed("gelu", TABLE["modules"][0], "dead-units", locks={"activation": "relu"}), Refusal)
