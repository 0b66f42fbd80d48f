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
