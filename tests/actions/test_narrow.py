"""Hidden widths are halved where they come from."""

import pytest

from progtrain.records import Proposal, Refusal

TABLE = {
    "a constant": (
        "import torch.nn as nn\nWIDTH = 64\nnet = nn.Sequential(nn.Linear(4, WIDTH), nn.ReLU(), nn.Linear(WIDTH, 2))\n",
        [64],
    ),
    "literals": (
        "from torch import nn\nnet = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 2))  # small\n",
        [64, 64],
    ),
    "imported by name": (
        "from torch.nn import Linear, ReLU, Sequential\nnet = Sequential(Linear(4, 64), ReLU(), Linear(64, 2))\n",
        [64, 64],
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_becomes(becomes, name):
    before, widths = TABLE[name]
    becomes("narrow", before, before.replace("64", "32"), old=widths, new=[width // 2 for width in widths])


SCRIPT = TABLE["a constant"][0]


@pytest.mark.parametrize("source", ["import torch\n", SCRIPT.replace("64", "96"), "import os\nWIDTH = 64\n"])
def test_cannot(cannot, source):
    cannot("narrow", source, "width", old=[64], new=[32])


@pytest.mark.parametrize("width", ["8", "65"])
def test_refuses(proposed, width):
    assert isinstance(proposed("narrow", SCRIPT.replace("64", width), "overfitting"), Refusal)
    assert isinstance(proposed("narrow", SCRIPT, "overfitting"), Proposal)
