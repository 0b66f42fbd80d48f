"""Adam becomes AdamW at the same rate."""

import pytest

from progtrain.records import OptimizerSettings, Proposal, Refusal

TABLE = {
    "in place": (
        "import torch\no = torch.optim.Adam(p, lr=1e-3)\n",
        "import torch\no = torch.optim.AdamW(p, lr=1e-3)\n",
    ),
    "decay and betas kept": (
        "from torch import optim\no = optim.Adam(p, 1e-3, betas=(0.9, 0.99), weight_decay=1e-4)\n",
        "from torch import optim\no = optim.AdamW(p, 1e-3, betas=(0.9, 0.99), weight_decay=1e-4)\n",
    ),
    "comments inside kept": (
        "import torch.optim as optim\no = optim.Adam(\n    p,  # all\n    lr=1e-3,\n)\n",
        "import torch.optim as optim\no = optim.AdamW(\n    p,  # all\n    lr=1e-3,\n)\n",
    ),
}
ARGUMENTS = {"lr": None, "weight_decay": None}


@pytest.mark.parametrize("name", TABLE)
def test_becomes(becomes, name):
    becomes("adam_to_adamw", *TABLE[name], **ARGUMENTS)


@pytest.mark.parametrize("source", ["import torch\n", "import torch\ntorch.optim.SGD(p, 0.1)\n", "Adam(p)\n"])
def test_cannot(cannot, source):
    cannot("adam_to_adamw", source, "Nothing to replace", **ARGUMENTS)


def test_proposes_for_adam_only(proposed):
    source = TABLE["in place"][0]
    adam = (OptimizerSettings(type="Adam", groups=({"lr": 1e-3, "weight_decay": 0},)),)
    assert isinstance(proposed("adam_to_adamw", source, "overfitting"), Refusal)
    proposal = proposed("adam_to_adamw", source, "overfitting", optimizers=adam)
    assert isinstance(proposal, Proposal)
    assert set(proposal.touches) == {"optimizer", "optimizer_options", "weight_decay"}
