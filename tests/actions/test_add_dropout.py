"""Dropout goes behind the activations of hidden layers."""

import pytest

from progtrain.records import Layer, Proposal, Refusal

TABLE = {
    "nn.Sequential": (
        """\
        from torch import nn

        net = nn.Sequential(
            nn.Linear(40, 64),
            nn.ReLU(),  # hidden
            nn.Linear(64, 10),
        )
        """,
        """\
        from torch import nn

        net = nn.Sequential(
            nn.Linear(40, 64),
            nn.ReLU(),  # hidden
            nn.Dropout(0.1),
            nn.Linear(64, 10),
        )
        """,
    ),
    "inside the class that residual_connection wrote": (
        """\
        from torch import nn

        class Residual(nn.Module):
            def __init__(self, *layers):
                super().__init__()
                self.block = nn.Sequential(*layers)

        net = nn.Sequential(Residual(nn.Linear(64, 64), nn.ReLU()), nn.Linear(64, 10))
        """,
        """\
        from torch import nn

        class Residual(nn.Module):
            def __init__(self, *layers):
                super().__init__()
                self.block = nn.Sequential(*layers)

        net = nn.Sequential(Residual(nn.Linear(64, 64), nn.ReLU(), nn.Dropout(0.1)), nn.Linear(64, 10))
        """,
    ),
    "the activation is last, without a comma": (
        """\
        from torch import nn
        stem = [
            nn.Conv1d(1, 8, 3),
            nn.BatchNorm1d(8),
            nn.GELU()  # smooth
        ]
        """,
        """\
        from torch import nn
        stem = [
            nn.Conv1d(1, 8, 3),
            nn.BatchNorm1d(8),
            nn.GELU(),  # smooth
            nn.Dropout(0.1)
        ]
        """,
    ),
    "attributes": (
        """\
        import torch
        import torch.nn as nn

        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc1 = nn.Linear(40, 64)
                self.head = nn.Linear(64, 10)

            def forward(self, x):
                return self.head(torch.relu(self.fc1(x)))
        """,
        """\
        import torch
        import torch.nn as nn

        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc1 = nn.Linear(40, 64)
                self.dropout1 = nn.Dropout(0.1)
                self.head = nn.Linear(64, 10)

            def forward(self, x):
                return self.head(self.dropout1(torch.relu(self.fc1(x))))
        """,
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_becomes(becomes, name):
    becomes("add_dropout", *TABLE[name], p=0.1)


@pytest.mark.parametrize(
    "source",
    [
        "import torch\n",
        "from torch import nn\nnet = nn.Sequential(nn.Linear(4, 2))\n",
        "from torch import nn\nnet = nn.Sequential(nn.Linear(4, 2), nn.ReLU(), nn.Dropout(0.2))\n",
    ],
)
def test_cannot(cannot, source):
    cannot("add_dropout", source, "Expected", p=0.1)


def test_a_large_network_loses_more(proposed):
    source = TABLE["nn.Sequential"][0]
    assert proposed("add_dropout", source, "overfitting").parameters == {"p": 0.1}
    large = proposed("add_dropout", source, "overfitting", parameters=10**6)
    assert isinstance(large, Proposal)
    assert large.parameters == {"p": 0.2}


def test_refuses_where_there_is_dropout(proposed):
    layers = (Layer(path="net.2", type="Dropout", arguments={"p": 0.5}),)
    refusal = proposed("add_dropout", TABLE["nn.Sequential"][0], "overfitting", layers=layers)
    assert isinstance(refusal, Refusal)
    assert "can be raised" in refusal.reason
