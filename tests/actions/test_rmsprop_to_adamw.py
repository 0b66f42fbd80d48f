"""RMSprop becomes AdamW at the same rate."""

import pytest

from progtrain.records import OptimizerSettings, Proposal, Refusal

TABLE = {
    "in place": (
        "import torch\no = torch.optim.RMSprop(p, lr=1e-3)\n",
        "import torch\no = torch.optim.AdamW(p, lr=1e-3)\n",
    ),
    "its own arguments dropped": (
        "from torch import optim\no = optim.RMSprop(p, 1e-3, alpha=0.95, centered=True, eps=1e-7)\n",
        "from torch import optim\no = optim.AdamW(p, 1e-3, eps=1e-7)\n",
    ),
    "imported by name": (
        "from torch.optim import RMSprop\no = RMSprop(p)\n",
        "from torch.optim import AdamW\no = AdamW(p)\n",
    ),
    "imported with others": (
        "from torch.optim import Adam, RMSprop\no = RMSprop(p)\n",
        "from torch.optim import Adam\nfrom torch.optim import AdamW\no = AdamW(p)\n",
    ),
    "still used": (
        "from torch.optim import RMSprop\nKINDS = [RMSprop]\no = RMSprop(p)\n",
        "from torch.optim import RMSprop\nfrom torch.optim import AdamW\nKINDS = [RMSprop]\no = AdamW(p)\n",
    ),
    "an import with a comment": (
        "from torch.optim import RMSprop  # noqa\no = RMSprop(p)\n",
        "from torch.optim import RMSprop  # noqa\nfrom torch.optim import AdamW\no = AdamW(p)\n",
    ),
}
ARGUMENTS = {"lr": None, "weight_decay": None}


@pytest.mark.parametrize("name", TABLE)
def test_becomes(becomes, name):
    becomes("rmsprop_to_adamw", *TABLE[name], **ARGUMENTS)


@pytest.mark.parametrize("source", ["import torch\n", "import torch\ntorch.optim.SGD(p, 0.1)\n", "RMSprop(p)\n"])
def test_cannot(cannot, source):
    cannot("rmsprop_to_adamw", source, "Nothing to replace", **ARGUMENTS)


def test_proposes_for_rmsprop_only(proposed):
    rmsprop = (OptimizerSettings(type="RMSprop", groups=({"lr": 1e-3, "weight_decay": 0},)),)
    assert isinstance(proposed("rmsprop_to_adamw", TABLE["in place"][0], "slow"), Refusal)
    assert isinstance(proposed("rmsprop_to_adamw", TABLE["in place"][0], "slow", optimizers=rmsprop), Proposal)
