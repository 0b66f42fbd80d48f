"""Every dropout of the script moves by a tenth."""

import pytest

from progtrain.records import Proposal, Refusal

TABLE = {
    "modules": (
        "from torch import nn\nnet = nn.Sequential(nn.Linear(4, 2), nn.ReLU(), nn.Dropout(0.1))  # few\n",
        "from torch import nn\nnet = nn.Sequential(nn.Linear(4, 2), nn.ReLU(), nn.Dropout(0.0))  # few\n",
    ),
    "a constant for two": (
        "import torch.nn as nn\nP = 0.1\nnet = nn.Sequential(nn.Dropout(P), nn.Linear(4, 2), nn.Dropout(p=P))\n",
        "import torch.nn as nn\nP = 0.0\nnet = nn.Sequential(nn.Dropout(P), nn.Linear(4, 2), nn.Dropout(p=P))\n",
    ),
    "functions": (
        "import torch.nn.functional as F\ny = F.dropout(x, p=0.1, training=True)\n",
        "import torch.nn.functional as F\ny = F.dropout(x, p=0.0, training=True)\n",
    ),
}
SCRIPT = TABLE["modules"][0]


@pytest.mark.parametrize("name", TABLE)
def test_becomes(becomes, name):
    becomes("lower_dropout", *TABLE[name], old=[0.1], new=[0.0])


def test_different_ones_keep_their_distance(becomes):
    before = "from torch import nn\nnet = [nn.Dropout(0.1), nn.Dropout(0.2)]\n"
    after = before.replace("0.2", "0.1").replace("0.1)", "0.0)", 1)
    becomes("lower_dropout", before, after, old=[0.1, 0.2], new=[0.0, 0.1])


@pytest.mark.parametrize("source", ["import torch\n", SCRIPT.replace("0.1", "0.3"), SCRIPT.replace("0.1", "choose()")])
def test_cannot(cannot, source):
    cannot("lower_dropout", source, "dropout|may not be set", old=[0.1], new=[0.0])


def test_proposes_within_reach(proposed):
    proposal = proposed("lower_dropout", SCRIPT, "underfitting")
    assert isinstance(proposal, Proposal)
    assert proposal.parameters == {"old": [0.1], "new": [0.0]}
    assert isinstance(proposed("lower_dropout", SCRIPT.replace("0.1", "0"), "underfitting"), Refusal)
    assert isinstance(proposed("lower_dropout", SCRIPT, "underfitting", locks={"dropout": 0.1}), Refusal)
