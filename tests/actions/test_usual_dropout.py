"""A dropout above one half becomes 0.2; weaker ones stay."""

import pytest

from progtrain.records import Proposal, Refusal

TABLE = {
    "modules": (
        "from torch import nn\nnet = nn.Sequential(nn.Linear(4, 2), nn.ReLU(), nn.Dropout(0.8))  # most\n",
        "from torch import nn\nnet = nn.Sequential(nn.Linear(4, 2), nn.ReLU(), nn.Dropout(0.2))  # most\n",
        [0.8],
        [0.2],
    ),
    "a constant for two": (
        "import torch.nn as nn\nP = 0.9\nnet = nn.Sequential(nn.Dropout(P), nn.Linear(4, 2), nn.Dropout(p=P))\n",
        "import torch.nn as nn\nP = 0.2\nnet = nn.Sequential(nn.Dropout(P), nn.Linear(4, 2), nn.Dropout(p=P))\n",
        [0.9],
        [0.2],
    ),
    "a weaker one stays": (
        "from torch import nn\nnet = [nn.Dropout(0.1), nn.Dropout(0.6)]\n",
        "from torch import nn\nnet = [nn.Dropout(0.1), nn.Dropout(0.2)]\n",
        [0.1, 0.6],
        [0.1, 0.2],
    ),
}
SCRIPT = TABLE["modules"][0]


@pytest.mark.parametrize("name", TABLE)
def test_becomes(becomes, name):
    before, after, old, new = TABLE[name]
    becomes("usual_dropout", before, after, old=old, new=new)


@pytest.mark.parametrize("source", ["import torch\n", SCRIPT.replace("0.8", "0.7"), SCRIPT.replace("0.8", "choose()")])
def test_cannot(cannot, source):
    cannot("usual_dropout", source, "dropout|may not be set", old=[0.8], new=[0.2])


def test_proposes(proposed):
    proposal = proposed("usual_dropout", SCRIPT, "excessive-dropout")
    assert isinstance(proposal, Proposal)
    assert proposal.parameters == {"old": [0.8], "new": [0.2]}


@pytest.mark.parametrize(
    ("value", "locks", "reason"), [("0.5", {}, "no dropout is above 0.5"), ("0.8", {"dropout": 0.8}, "the rules hold")]
)
def test_refuses(proposed, value, locks, reason):
    refusal = proposed("usual_dropout", SCRIPT.replace("0.8", value), "excessive-dropout", locks=locks)
    assert isinstance(refusal, Refusal)
    assert reason in refusal.reason
