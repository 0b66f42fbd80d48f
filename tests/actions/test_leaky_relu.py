"""Every ReLU, module or function, becomes LeakyReLU."""

import pytest

from progtrain.records import Proposal, Refusal

TABLE = {
    "modules": (
        "from torch import nn\nnet = nn.Sequential(nn.Linear(4, 2), nn.ReLU(inplace=True), nn.ReLU())  # dead\n",
        "from torch import nn\nnet = nn.Sequential(nn.Linear(4, 2), nn.LeakyReLU(), nn.LeakyReLU())  # dead\n",
    ),
    "functions, one within another": (
        "import torch.nn.functional as F\ny = F.relu(b(F.relu(a(x))), inplace=True)\n",
        "import torch.nn.functional as F\ny = F.leaky_relu(b(F.leaky_relu(a(x))))\n",
    ),
    "torch.relu": (
        "import torch\nfrom torch import nn\ny = torch.relu(x)\n",
        "import torch\nfrom torch import nn\ny = nn.functional.leaky_relu(x)\n",
    ),
    "imported by name": (
        "from torch.nn import ReLU, Sequential\nnet = Sequential(ReLU(True))\n",
        "from torch.nn import Sequential\nfrom torch.nn import LeakyReLU\nnet = Sequential(LeakyReLU())\n",
    ),
    "the class itself": (
        "from torch import nn\nnet = build(activation=nn.ReLU)\n",
        "from torch import nn\nnet = build(activation=nn.LeakyReLU)\n",
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_becomes(becomes, name):
    becomes("leaky_relu", *TABLE[name])


@pytest.mark.parametrize("source", ["import torch\n", "from torch import nn\nnn.Tanh()\n", "ReLU()\n"])
def test_cannot(cannot, source):
    cannot("leaky_relu", source, "Nothing to replace")


def test_proposes_for_dead_units(proposed):
    proposal = proposed("leaky_relu", TABLE["modules"][0], "dead-units")
    assert isinstance(proposal, Proposal)
    assert proposal.change == "2 ReLU become LeakyReLU"
    assert isinstance(proposed("leaky_relu", TABLE["modules"][0], "dead-units", locks={"activation": "relu"}), Refusal)
