"""Convolutions go before the first dense layer, which then reads what they found."""

from textwrap import dedent

import pytest
import torch

from progtrain.actions import Situation, action_named
from progtrain.records import Call, Finding, Layer, LoaderSettings, Proposal, Refusal
from progtrain.script.reading.anatomy import read_anatomy

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
    becomes("convolutional_stem", before, after, shape=[40], normalized=normalized)


SCRIPT = TABLE["nn.Sequential"][0]
IMAGES_AFTER = """\
from torch import nn

net = nn.Sequential(
    nn.Unflatten(1, (1, 8, 8)),
    nn.Conv2d(1, 32, kernel_size=3, padding=1),
    nn.BatchNorm2d(32),
    nn.ReLU(),
    nn.Conv2d(32, 64, kernel_size=3, padding=1, stride=2),
    nn.BatchNorm2d(64),
    nn.ReLU(),
    nn.Conv2d(64, 64, kernel_size=3, padding=1, stride=2),
    nn.BatchNorm2d(64),
    nn.ReLU(),
    nn.Flatten(),
    nn.Linear(256, 64),  # dense
    nn.ReLU(),
    nn.Linear(64, 10),
)
"""


def test_flat_images_are_read_in_two_dimensions(becomes):
    becomes("convolutional_stem", SCRIPT.replace("40", "64"), IMAGES_AFTER, shape=[8, 8], normalized=True)


FLATTENED = """\
from torch import nn

net = nn.Sequential(nn.Flatten(), nn.Linear(256, 64), nn.ReLU(), nn.Linear(64, 10))
"""
BEFORE_FLATTEN = """\
from torch import nn

net = nn.Sequential(
    nn.OPENEDConvDd(CHANNELS, 32, kernel_size=K, padding=P),
    nn.ReLU(),
    nn.ConvDd(32, 64, kernel_size=K, padding=P, stride=2),
    nn.ReLU(),
    nn.ConvDd(64, 64, kernel_size=K, padding=P, stride=2),
    nn.ReLU(),
    nn.Flatten(), nn.Linear(FEATURES, 64), nn.ReLU(), nn.Linear(64, 10))
"""


def before_flatten(dimensions: int, channels: int, features: int, opened: str = "") -> str:
    kernel, unflatten = {1: 5, 2: 3}[dimensions], f"Unflatten(1, {opened}),\n    nn." if opened else ""
    text = (
        BEFORE_FLATTEN.replace("OPENED", unflatten).replace("CHANNELS", str(channels)).replace("Dd", f"{dimensions}d")
    )
    return text.replace("K,", f"{kernel},").replace("P", str(kernel // 2)).replace("FEATURES", str(features))


@pytest.mark.parametrize(
    ("laid", "parameters", "after"),
    [
        ((1, 16, 16), {"shape": [16, 16], "channels": 1, "opened": None}, before_flatten(2, 1, 1024)),
        ((4, 8, 8), {"shape": [8, 8], "channels": 4, "opened": None}, before_flatten(2, 4, 256)),
        ((16, 16), {"shape": [16, 16], "channels": 1, "opened": [1, 16]}, before_flatten(2, 1, 1024, "(1, 16)")),
        ((2, 128), {"shape": [128], "channels": 2, "opened": None}, before_flatten(1, 2, 2048)),
        ((256,), {"shape": [256]}, before_flatten(1, 1, 4096, "(1, 256)")),
    ],
)
def test_it_goes_before_nn_flatten(becomes, proposed, laid, parameters, after):
    calls = (
        Call(function="flatten", arguments={}, shapes=((64, *laid),)),
        Call(function="linear", arguments={}, shapes=((64, 256), (64, 256), (64,))),
    )
    proposal = proposed(
        "convolutional_stem", FLATTENED, "local-structure", calls=calls, locks={"normalization": "none"}
    )
    assert isinstance(proposal, Proposal)
    assert proposal.parameters == {**parameters, "normalized": False}
    becomes("convolutional_stem", FLATTENED, after, **proposal.parameters)
    network = {}
    exec(after, network)
    assert network["net"](torch.zeros(64, *laid)).shape == (64, 10)


@pytest.mark.parametrize(("side", "shape"), [(8.0, [8, 8]), (7.0, [64]), (0.0, [64])])
def test_an_image_is_one_where_its_side_was_found(snapshot_with, side, shape):
    read = Call(function="linear", arguments={}, shapes=((64, 64), (64, 64), (64,)))
    situation = Situation(
        anatomy=read_anatomy(dedent(SCRIPT)),
        snapshot=snapshot_with(calls=(read,)),
        findings=(Finding(name="local-structure", numbers={"side": side}, severity=0.7, message=""),),
        history=(),
        locks={},
    )
    proposal = action_named("convolutional_stem").propose(situation)
    assert isinstance(proposal, Proposal)
    assert proposal.parameters["shape"] == shape


@pytest.mark.parametrize(
    ("source", "match"),
    [
        ("import torch\n", "found none"),
        (SCRIPT.replace("nn.Linear(40, 64)", "nn.Conv1d(1, 64, 3)"), "expected the first hidden layer to be Linear"),
        (SCRIPT.replace("nn.Linear(40", "nn.Dropout(), nn.Linear(40"), "expected the first Linear first"),
        (SCRIPT.replace("nn.Linear(40", "nn.Flatten(0), nn.Linear(40"), "expected the first Linear first"),
        (TABLE["attributes"][0].replace("self.fc2", "self.stem"), "expected the first Linear first"),
    ],
)
def test_cannot(cannot, source, match):
    cannot("convolutional_stem", source, match, shape=[40], normalized=True)


def test_normalizes_where_batches_allow_it(proposed):
    loader = LoaderSettings(size=32, batch_size=4, shuffle=True, sampler="RandomSampler", workers=0, fingerprint=None)
    usual = proposed("convolutional_stem", SCRIPT, "local-structure")
    small = proposed("convolutional_stem", SCRIPT, "local-structure", train=loader)
    held = proposed("convolutional_stem", SCRIPT, "local-structure", locks={"normalization": "none"})
    for proposal, normalized in ((usual, True), (small, False), (held, False)):
        assert isinstance(proposal, Proposal)
        assert proposal.parameters == {"shape": [40], "normalized": normalized}
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
