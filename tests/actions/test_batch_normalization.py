"""Batch normalization goes between hidden layers and their activations, in every way of writing them."""

import pytest

from progtrain.records import Call, Layer, LoaderSettings, Proposal, Refusal

TABLE = {
    "nn.Sequential, one module a line, comments stay": (
        """\
        from torch import nn

        net = nn.Sequential(
            nn.Linear(40, 64),  # input
            nn.ReLU(),
            # the second one
            nn.Linear(64, 64),
            nn.Dropout(0.1),
            nn.ReLU(),
            nn.Linear(64, 10)
        )
        """,
        """\
        from torch import nn

        net = nn.Sequential(
            nn.Linear(40, 64),  # input
            nn.BatchNorm1d(64),
            nn.ReLU(),
            # the second one
            nn.Linear(64, 64),
            nn.BatchNorm1d(64),
            nn.Dropout(0.1),
            nn.ReLU(),
            nn.Linear(64, 10)
        )
        """,
    ),
    "one line": (
        "import torch.nn as nn\nnet = nn.Sequential(nn.Linear(4, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 2))\n",
        "import torch.nn as nn\n"
        "net = nn.Sequential(nn.Linear(4, HIDDEN), nn.BatchNorm1d(HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 2))\n",
    ),
    "two modules a line": (
        """\
        import torch
        net = torch.nn.Sequential(
            torch.nn.Linear(4, 8), torch.nn.ReLU(),  # first
            torch.nn.Linear(8, 8), torch.nn.Tanh(),
            torch.nn.Linear(8, 2),
        )
        """,
        """\
        import torch
        net = torch.nn.Sequential(
            torch.nn.Linear(4, 8), torch.nn.BatchNorm1d(8), torch.nn.ReLU(),  # first
            torch.nn.Linear(8, 8), torch.nn.BatchNorm1d(8), torch.nn.Tanh(),
            torch.nn.Linear(8, 2),
        )
        """,
    ),
    "a loop over sizes, imported by name": (
        """\
        from torch.nn import Linear, ReLU, Sequential

        layers = []
        for inputs, outputs in zip(sizes, sizes[1:]):
            layers += [Linear(inputs, out_features=outputs), ReLU()]
        net = Sequential(*layers, Linear(sizes[-1], 10))
        """,
        """\
        from torch.nn import Linear, ReLU, Sequential
        from torch.nn import BatchNorm1d

        layers = []
        for inputs, outputs in zip(sizes, sizes[1:]):
            layers += [Linear(inputs, out_features=outputs), BatchNorm1d(outputs), ReLU()]
        net = Sequential(*layers, Linear(sizes[-1], 10))
        """,
    ),
    "appended": (
        """\
        from torch import nn

        def build(width):
            layers = []
            layers.append(nn.Conv2d(1, width, 3))  # stem
            layers.append(nn.ReLU())
            layers.append(nn.Flatten())
            return nn.Sequential(*layers)
        """,
        """\
        from torch import nn

        def build(width):
            layers = []
            layers.append(nn.Conv2d(1, width, 3))  # stem
            layers.append(nn.BatchNorm2d(width))
            layers.append(nn.ReLU())
            layers.append(nn.Flatten())
            return nn.Sequential(*layers)
        """,
    ),
    "attributes": (
        """\
        import torch.nn.functional as F
        from torch import nn

        class Net(nn.Module):
            def __init__(self, hidden=64):
                super().__init__()
                self.fc1 = nn.Linear(40, hidden)
                self.act = nn.ReLU()
                self.middle = nn.Linear(hidden, hidden)  # square
                self.third = nn.Linear(hidden, hidden)
                self.out = nn.Linear(hidden, 10)

            def forward(self, x):
                x = F.relu(self.fc1(x))
                x = self.middle(x)
                x = self.act(x)
                x = self.third(x).relu()
                return self.out(x)
        """,
        """\
        import torch.nn.functional as F
        from torch import nn

        class Net(nn.Module):
            def __init__(self, hidden=64):
                super().__init__()
                self.fc1 = nn.Linear(40, hidden)
                self.norm1 = nn.BatchNorm1d(hidden)
                self.act = nn.ReLU()
                self.middle = nn.Linear(hidden, hidden)  # square
                self.middle_norm = nn.BatchNorm1d(hidden)
                self.third = nn.Linear(hidden, hidden)
                self.third_norm = nn.BatchNorm1d(hidden)
                self.out = nn.Linear(hidden, 10)

            def forward(self, x):
                x = F.relu(self.norm1(self.fc1(x)))
                x = self.middle_norm(self.middle(x))
                x = self.act(x)
                x = self.third_norm(self.third(x)).relu()
                return self.out(x)
        """,
    ),
    "two kinds counted apart": (
        """\
        import torch.nn.functional as F
        from torch import nn

        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.conv1 = nn.Conv1d(1, 8, 3)
                self.fc1 = nn.Linear(64, 32)
                self.fc2 = nn.Linear(32, 10)

            def forward(self, x):
                x = F.relu(self.conv1(x)).flatten(1)
                return self.fc2(F.relu(self.fc1(x)))
        """,
        """\
        import torch.nn.functional as F
        from torch import nn

        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.conv1 = nn.Conv1d(1, 8, 3)
                self.conv1_norm = nn.BatchNorm1d(8)
                self.fc1 = nn.Linear(64, 32)
                self.fc1_norm = nn.BatchNorm1d(32)
                self.fc2 = nn.Linear(32, 10)

            def forward(self, x):
                x = F.relu(self.conv1_norm(self.conv1(x))).flatten(1)
                return self.fc2(F.relu(self.fc1_norm(self.fc1(x))))
        """,
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_becomes(becomes, name):
    becomes("batch_normalization", *TABLE[name])


def test_windows_line_ends(becomes):
    before, after = ("\n".join(map(str.strip, text.splitlines())) for text in TABLE["two modules a line"])
    becomes("batch_normalization", before.replace("\n", "\r\n"), after.replace("\n", "\r\n"))


SCRIPT = TABLE["one line"][0]


@pytest.mark.parametrize(
    ("source", "match"),
    [
        (SCRIPT.replace("nn.ReLU()", "nn.LayerNorm(HIDDEN)"), "followed by an activation|without normalization"),
        (SCRIPT.replace("nn.ReLU()", "make()"), "followed by an activation"),
        ("import torch\n", "found none"),
        (TABLE["attributes"][0].replace("self.act =", "self.norm1 ="), "norm1 is taken"),
        (TABLE["attributes"][0].replace("self.fc1 =", "x = 1; self.fc1 ="), "a line of its own"),
    ],
)
def test_cannot(cannot, source, match):
    cannot("batch_normalization", source, match)


LOADER = LoaderSettings(size=320, batch_size=64, shuffle=True, sampler="RandomSampler", workers=0, fingerprint=None)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"train": LOADER.model_copy(update={"batch_size": 8})}, "at least 16, and these have 8"),
        ({"train": LOADER.model_copy(update={"size": 321})}, "one sample"),
        ({"train": None}, "unknown size"),
        ({"layers": (Layer(path="n", type="LayerNorm", arguments={}),)}, "already, by LayerNorm"),
        (
            {"calls": (Call(function="linear", arguments={}, shapes=((8, 5, 40), (64, 40))),)},
            "one reads \\[8, 5, 40\\]",
        ),
    ],
)
def test_refuses(proposed, fields, reason):
    refusal = proposed("batch_normalization", SCRIPT, "no-normalization", **fields)
    assert isinstance(refusal, Refusal)
    assert reason.replace("\\", "") in refusal.reason


def test_convolutions_are_normalized_whatever_the_output_layer_reads(proposed):
    source = "from torch import nn\nnet = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU())\nhead = nn.Linear(8, 2)\n"
    calls = (Call(function="linear", arguments={}, shapes=((8, 5, 40), (64, 40))),)
    proposal = proposed("batch_normalization", source, "no-normalization", calls=calls)
    assert isinstance(proposal, Proposal), proposal


def test_proposes(proposed):
    proposal = proposed("batch_normalization", SCRIPT, "no-normalization")
    assert isinstance(proposal, Proposal)
    assert proposal.touches == ("normalization",)
    assert proposal.change == "BatchNorm1d before the activations of 1 hidden layers"
