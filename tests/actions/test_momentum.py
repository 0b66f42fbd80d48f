"""Plain SGD gets momentum."""

import pytest

from progtrain.records import OptimizerSettings, Proposal, Refusal

TABLE = {
    "added": (
        "import torch\nopt = torch.optim.SGD(p, lr=0.1)\n",
        "import torch\nopt = torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True)\n",
    ),
    "a zero set": (
        "from torch import optim\nopt = optim.SGD(p, 0.1, momentum=0.0)  # plain\n",
        "from torch import optim\nopt = optim.SGD(p, 0.1, momentum=0.9, nesterov=True)  # plain\n",
    ),
    "a constant, and a call over several lines": (
        """\
        from torch.optim import SGD
        MOMENTUM = 0

        opt = SGD(
            p,
            lr=0.1,
            momentum=MOMENTUM,
        )
        """,
        """\
        from torch.optim import SGD
        MOMENTUM = 0.9

        opt = SGD(
            p,
            lr=0.1,
            momentum=MOMENTUM,
            nesterov=True,
        )
        """,
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_becomes(becomes, name):
    becomes("momentum", *TABLE[name], momentum=0.9)


@pytest.mark.parametrize(
    "source",
    ["import torch\n", "import torch\ntorch.optim.Adam(p)\n", "import torch\ntorch.optim.SGD(p)\ntorch.optim.SGD(q)\n"],
)
def test_cannot(cannot, source):
    cannot("momentum", source, "Expected one optimizer", momentum=0.9)


@pytest.mark.parametrize(
    ("kind", "group", "reason"),
    [
        ("Adam", {"lr": 0.1}, "only SGD"),
        ("SGD", {"lr": 0.1, "momentum": 0.8}, "already"),
        ("SGD", {"lr": 0.1, "momentum": 0, "dampening": 0.1}, "dampening"),
    ],
)
def test_refuses(proposed, kind, group, reason):
    optimizers = (OptimizerSettings(type=kind, groups=(group,)),)
    refusal = proposed("momentum", TABLE["added"][0], "plain-sgd", optimizers=optimizers)
    assert isinstance(refusal, Refusal)
    assert reason in refusal.reason


def test_proposes(proposed):
    assert isinstance(proposed("momentum", TABLE["added"][0], "plain-sgd"), Proposal)
