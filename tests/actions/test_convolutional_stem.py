"""Convolutions go before the first dense layer, which then reads what they found."""

import pytest

from progtrain.records import Call, Layer, LoaderSettings, Proposal, Refusal

TABLE = {
    "nn.Sequential": (
        """\
        from torch import nn

        net = nn.Sequential(
            nn.Linear(40, 64),  # dense
            nn.ReLU(),
            nn.Linear(64, 10),
        )
        """,
        """\
        from torch import nn

        net = nn.Sequential(
            nn.Unflatten(1, (1, 40)),
            nn.Conv1d(1, 32, kernel_size=5, padding=2),
            nn.BatchNorm1d(32),
            nn.ReLU(),
            nn.Conv1d(32, 64, kernel_size=5, padding=2, stride=2),
            nn.BatchNorm1d(64),
            nn.ReLU(),
            nn.Conv1d(64, 64, kernel_size=5, padding=2, stride=2),
            nn.BatchNorm1d(64),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(640, 64),  # dense
            nn.ReLU(),
            nn.Linear(64, 10),
        )
        """,
        True,
    ),
    "one line, the size a constant": (
        """\
        import torch.nn as nn
        net = nn.Sequential(nn.Linear(LENGTH, 64), nn.ReLU(), nn.Linear(64, 10))
        """,
        """\
        import torch.nn as nn
        net = nn.Sequential(
            nn.Unflatten(1, (1, 40)),
            nn.Conv1d(1, 32, kernel_size=5, padding=2),
            nn.ReLU(),
            nn.Conv1d(32, 64, kernel_size=5, padding=2, stride=2),
            nn.ReLU(),
            nn.Conv1d(64, 64, kernel_size=5, padding=2, stride=2),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(640, 64), nn.ReLU(), nn.Linear(64, 10))
        """,
        False,
    ),
    "attributes": (
        """\
        import torch
        from torch import nn

        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc1 = nn.Linear(40, 64)
                self.fc2 = nn.Linear(64, 10)

            def forward(self, x):
                return self.fc2(torch.relu(self.fc1(x)))
        """,
        """\
        import torch
        from torch import nn

        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.stem = nn.Sequential(
                    nn.Unflatten(1, (1, 40)),
                    nn.Conv1d(1, 32, kernel_size=5, padding=2),
                    nn.ReLU(),
                    nn.Conv1d(32, 64, kernel_size=5, padding=2, stride=2),
                    nn.ReLU(),
                    nn.Conv1d(64, 64, kernel_size=5, padding=2, stride=2),
                    nn.ReLU(),
                    nn.Flatten(),
                )
                self.fc1 = nn.Linear(640, 64)
                self.fc2 = nn.Linear(64, 10)

            def forward(self, x):
                return self.fc2(torch.relu(self.fc1(self.stem(x))))
        """,
        False,
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_becomes(becomes, name):
    before, after, normalized = TABLE[name]
    becomes("convolutional_stem", before, after, length=40, normalized=normalized)


SCRIPT = TABLE["nn.Sequential"][0]


@pytest.mark.parametrize(
    ("source", "match"),
    [
        ("import torch\n", "found none"),
        (SCRIPT.replace("nn.Linear(40, 64)", "nn.Conv1d(1, 64, 3)"), "expected the first hidden layer to be Linear"),
        (SCRIPT.replace("nn.Linear(40", "nn.Flatten(), nn.Linear(40"), "expected the first Linear first"),
        (TABLE["attributes"][0].replace("self.fc2", "self.stem"), "expected the first Linear first"),
    ],
)
def test_cannot(cannot, source, match):
    cannot("convolutional_stem", source, match, length=40, normalized=True)


def test_normalizes_where_batches_allow_it(proposed):
    loader = LoaderSettings(size=32, batch_size=4, shuffle=True, sampler="RandomSampler", workers=0, fingerprint=None)
    usual = proposed("convolutional_stem", SCRIPT, "local-structure")
    small = proposed("convolutional_stem", SCRIPT, "local-structure", train=loader)
    held = proposed("convolutional_stem", SCRIPT, "local-structure", locks={"normalization": "none"})
    for proposal, normalized in ((usual, True), (small, False), (held, False)):
        assert isinstance(proposal, Proposal)
        assert proposal.parameters == {"length": 40, "normalized": normalized}
        assert ("normalization" in proposal.touches) is normalized


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"layers": (Layer(path="c", type="Conv1d", arguments={}, parameters=8),)}, "not a Linear"),
        ({"calls": (Call(function="linear", arguments={}, shapes=((8, 7, 40), (64, 40))),)}, "not a Linear"),
        ({"calls": (Call(function="linear", arguments={}, shapes=((8, 10), (64, 10))),)}, "10 values"),
        ({"layers": (Layer(path="n", type="Linear", arguments={}, parameters=8),) * 4}, "4 Linear layers are made in"),
    ],
)
def test_refuses(proposed, fields, reason):
    refusal = proposed("convolutional_stem", SCRIPT, "local-structure", **fields)
    assert isinstance(refusal, Refusal)
    assert reason in refusal.reason
