"""The last hidden block is repeated."""

import pytest

from progtrain.records import Proposal

TABLE = {
    "inside the class that residual_connection wrote": (
        """\
        from torch import nn

        class Residual(nn.Module):
            def __init__(self, *layers):
                super().__init__()
                self.block = nn.Sequential(*layers)

        net = nn.Sequential(
            Residual(
                nn.Linear(64, 64),
                nn.ReLU(),
            ),
            nn.Linear(64, 10),
        )
        """,
        """\
        from torch import nn

        class Residual(nn.Module):
            def __init__(self, *layers):
                super().__init__()
                self.block = nn.Sequential(*layers)

        net = nn.Sequential(
            Residual(
                nn.Linear(64, 64),
                nn.ReLU(),
                nn.Linear(64, 64),
                nn.ReLU(),
            ),
            nn.Linear(64, 10),
        )
        """,
        1,
    ),
    "nn.Sequential": (
        """\
        from torch import nn

        net = nn.Sequential(
            nn.Linear(40, 64),
            nn.ReLU(),
            nn.Linear(64, 32, bias=False),
            nn.BatchNorm1d(32),
            nn.ReLU(),
            nn.Dropout(0.1),  # light
            nn.Linear(32, 10),
        )
        """,
        """\
        from torch import nn

        net = nn.Sequential(
            nn.Linear(40, 64),
            nn.ReLU(),
            nn.Linear(64, 32, bias=False),
            nn.BatchNorm1d(32),
            nn.ReLU(),
            nn.Dropout(0.1),  # light
            nn.Linear(32, 32, bias=False),
            nn.BatchNorm1d(32),
            nn.ReLU(),
            nn.Dropout(0.1),
            nn.Linear(32, 10),
        )
        """,
        2,
    ),
    "one line, sizes by name": (
        "import torch.nn as nn\nnet = nn.Sequential(nn.Linear(in_features=N, out_features=H), nn.ReLU())\n",
        "import torch.nn as nn\n"
        "net = nn.Sequential(nn.Linear(in_features=N, out_features=H), nn.ReLU(), "
        "nn.Linear(in_features=H, out_features=H), nn.ReLU())\n",
        1,
    ),
    "attributes": (
        """\
        import torch.nn.functional as F
        from torch.nn import Linear, Module

        class Net(Module):
            def __init__(self, hidden):
                super().__init__()
                self.fc1 = Linear(40, hidden)
                self.fc2 = Linear(hidden, 10)

            def forward(self, x):
                x = F.relu(self.fc1(x))  # hidden
                return self.fc2(x)
        """,
        """\
        import torch.nn.functional as F
        from torch.nn import Linear, Module

        class Net(Module):
            def __init__(self, hidden):
                super().__init__()
                self.fc1 = Linear(40, hidden)
                self.fc1b = Linear(hidden, hidden)
                self.fc2 = Linear(hidden, 10)

            def forward(self, x):
                x = F.relu(self.fc1(x))  # hidden
                x = F.relu(self.fc1b(x))
                return self.fc2(x)
        """,
        1,
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_becomes(becomes, name):
    before, after, layers = TABLE[name]
    becomes("deepen", before, after, hidden_layers=layers)


SCRIPT = TABLE["one line, sizes by name"][0]


@pytest.mark.parametrize(
    ("source", "match"),
    [
        ("import torch\n", "found none"),
        ("from torch import nn\nnet = [nn.Conv1d(1, 8, 3), nn.ReLU()]\n", "Nothing to repeat"),
        ("from torch import nn\nfor n in sizes:\n    layers += [nn.Linear(n, n), nn.ReLU()]\n", "a loop"),
        (
            TABLE["attributes"][0].replace("x = F.relu(self.fc1(x))", "x = F.relu(self.fc1(x), False) + 1"),
            "Write it so",
        ),
    ],
)
def test_cannot(cannot, source, match):
    cannot("deepen", source, match, hidden_layers=1)


def test_touches_what_the_block_holds(proposed):
    plain = proposed("deepen", SCRIPT, "underfitting")
    full = proposed("deepen", TABLE["nn.Sequential"][0], "underfitting")
    assert isinstance(plain, Proposal)
    assert isinstance(full, Proposal)
    assert set(full.touches) - set(plain.touches) == {"normalization", "dropout"}
