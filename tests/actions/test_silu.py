"""Every ReLU, module or function, becomes SiLU."""

import pytest

from progtrain.records import Proposal, Refusal

TABLE = {
    "modules": (
        "from torch import nn\nnet = nn.Sequential(nn.Linear(4, 2), nn.ReLU(inplace=True), nn.ReLU())  # dead\n",
        "from torch import nn\nnet = nn.Sequential(nn.Linear(4, 2), nn.SiLU(), nn.SiLU())  # dead\n",
    ),
    "functions, one within another": (
        "import torch.nn.functional as F\ny = F.relu(b(F.relu(a(x))), inplace=True)\n",
        "import torch.nn.functional as F\ny = F.silu(b(F.silu(a(x))))\n",
    ),
    "torch.relu": (
        "import torch\nfrom torch import nn\ny = torch.relu(x)\n",
        "import torch\nfrom torch import nn\ny = nn.functional.silu(x)\n",
    ),
    "imported by name": (
        "from torch.nn import ReLU, Sequential\nnet = Sequential(ReLU(True))\n",
        "from torch.nn import Sequential\nfrom torch.nn import SiLU\nnet = Sequential(SiLU())\n",
    ),
    "the class itself": (
        "from torch import nn\nnet = build(activation=nn.ReLU)\n",
        "from torch import nn\nnet = build(activation=nn.SiLU)\n",
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_becomes(becomes, name):
    becomes("silu", *TABLE[name])


@pytest.mark.parametrize("source", ["import torch\n", "from torch import nn\nnn.Tanh()\n", "ReLU()\n"])
def test_cannot(cannot, source):
    cannot("silu", source, "Nothing to replace")


def test_proposes_for_dead_units(proposed):
    proposal = proposed("silu", TABLE["modules"][0], "dead-units")
    assert isinstance(proposal, Proposal)
    assert proposal.change == "2 ReLU become SiLU"
    assert isinstance(proposed("silu", TABLE["modules"][0], "dead-units", locks={"activation": "relu"}), Refusal)
