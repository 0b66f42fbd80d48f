"""Layer normalization goes between hidden linear layers and their activations."""

import pytest

from progtrain.records import Layer, Proposal, Refusal

TABLE = {
    "one line": (
        "import torch.nn as nn\nnet = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))\n",
        "import torch.nn as nn\nnet = nn.Sequential(nn.Linear(4, 8), nn.LayerNorm(8), nn.ReLU(), nn.Linear(8, 2))\n",
    ),
    "closed on the last line": (
        """\
        from torch import nn
        net = nn.Sequential(
            nn.Linear(4, 8),
            nn.SiLU())
        """,
        """\
        from torch import nn
        net = nn.Sequential(
            nn.Linear(4, 8),
            nn.LayerNorm(8),
            nn.SiLU())
        """,
    ),
    "convolutions are left alone": (
        "from torch import nn\nnet = [nn.Conv1d(1, 4, 3), nn.ReLU(), nn.Linear(4, 8), nn.ReLU()]\n",
        "from torch import nn\nnet = [nn.Conv1d(1, 4, 3), nn.ReLU(), nn.Linear(4, 8), nn.LayerNorm(8), nn.ReLU()]\n",
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_becomes(becomes, name):
    becomes("layer_normalization", *TABLE[name])


@pytest.mark.parametrize(
    "source",
    [
        "from torch import nn\nnet = nn.Sequential(nn.Linear(4, 8), nn.Flatten())\n",
        "from torch import nn\nnet = nn.Sequential(nn.Conv1d(4, 8, 3), nn.ReLU())\n",
        "from torch import nn\nnorm = nn.GroupNorm(2, 8)\nnet = nn.Sequential(nn.Linear(4, 8), nn.ReLU())\n",
    ],
)
def test_cannot(cannot, source):
    cannot("layer_normalization", source, "Expected|changed nothing")


def test_proposes_where_nothing_is_normalized(proposed):
    normalized = (Layer(path="n", type="BatchNorm1d", arguments={}),)
    assert isinstance(proposed("layer_normalization", TABLE["one line"][0], "no-normalization"), Proposal)
    refusal = proposed("layer_normalization", TABLE["one line"][0], "no-normalization", layers=normalized)
    assert isinstance(refusal, Refusal)
