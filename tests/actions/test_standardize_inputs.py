"""Inputs are standardized inside the model, by buffers that are filled before fitting."""

import pytest

from progtrain.records import Proposal, Refusal

SCRIPT = """\
import torch
import torch.nn.functional as F
from torch import nn


class Net(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(40, 64), nn.ReLU(), nn.Linear(64, 10))

    def forward(self, x):
        '''Scores.'''
        return self.net(x)

    def training_step(self, batch, index):
        x, y = batch
        return F.cross_entropy(self(x), y)
"""
SETUP = """\
    def setup(self, stage: str) -> None:
        if stage == "fit":
            set_input_statistics(self)

    def training_step"""
OWN_SETUP = """\
    def setup(self, stage=None):
        self.data = load(stage)

    def training_step"""
FILLED_SETUP = """\
    def setup(self, stage=None):
        self.data = load(stage)
        if stage == "fit":
            set_input_statistics(self)

    def training_step"""

FUNCTION = """\
def set_input_statistics(model):
    \"\"\"Mean and standard deviation of the training inputs, in buffers that checkpoints keep.\"\"\"
    model.trainer.fit_loop.setup_data()
    batches = model.trainer.train_dataloader
    inputs = torch.cat([inputs for inputs, _ in batches])
    model.input_mean.copy_(inputs.mean(dim=[AXES], keepdim=True)[0])
    model.input_std.copy_(inputs.std(dim=[AXES], keepdim=True)[0])
    model.input_std[model.input_std == 0] = 1.0


"""


def standardized(script: str, axes: str, size: str) -> str:
    buffers = (
        "super().__init__()\n"
        f'        self.register_buffer("input_mean", torch.zeros({size}))\n'
        f'        self.register_buffer("input_std", torch.ones({size}))'
    )
    scaled = "return self.net", "x = (x - self.input_mean) / self.input_std\n        return self.net"
    held = script.replace("super().__init__()", buffers).replace(*scaled)
    return held.replace("class Net", FUNCTION.replace("AXES", axes) + "class Net")


def with_setup(script: str, setup: str) -> str:
    return script.replace("    def training_step", setup)


TABLE = {
    "features": (SCRIPT, with_setup(standardized(SCRIPT, "0", "40"), SETUP), [40]),
    "a signal": (SCRIPT, with_setup(standardized(SCRIPT, "0, 1", "1"), SETUP), [1]),
    "channels": (SCRIPT, with_setup(standardized(SCRIPT, "0, 2, 3", "3, 1, 1"), SETUP), [3, 1, 1]),
    "a setup of its own": (
        with_setup(SCRIPT, OWN_SETUP),
        with_setup(standardized(SCRIPT, "0", "40"), FILLED_SETUP),
        [40],
    ),
    "forward called by name": (
        SCRIPT.replace("self(x)", "self.forward(x)"),
        with_setup(standardized(SCRIPT, "0", "40"), SETUP).replace("self(x)", "self.forward(x)"),
        [40],
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_becomes(becomes, name):
    before, after, size = TABLE[name]
    becomes("standardize_inputs", before, after, size=size)


@pytest.mark.parametrize(
    ("source", "match"),
    [
        (SCRIPT.replace("def forward", "def score"), "expected forward"),
        (SCRIPT.replace("self(x)", "self.net(x)"), "called as self"),
        (SCRIPT.replace("forward(self, x)", "forward(self, x, mask)"), "expected forward"),
        (SCRIPT.replace("super().__init__()", "pass"), "calls super"),
    ],
)
def test_cannot(cannot, source, match):
    cannot("standardize_inputs", source, match, size=[40])


IMAGES = {"batch": [{"shape": [64, 3, 28, 28], "dtype": "float32"}, None]}


@pytest.mark.parametrize(
    ("kind", "changes", "size"),
    [
        ("table", {}, [8]),
        ("signals", {}, [1]),
        ("signals", IMAGES, [3, 1, 1]),
        ("table", {"batch": [{"shape": [64, 12, 5], "dtype": "float32"}, None]}, [1, 1]),
    ],
)
def test_proposes_statistics_of_what_shares_a_unit(request, proposed, kind, changes, size):
    proposal = proposed("standardize_inputs", SCRIPT, "unscaled-inputs", **{**request.getfixturevalue(kind), **changes})

    assert isinstance(proposal, Proposal)
    assert proposal.parameters == {"size": size}
    assert proposal.touches == ("computation",)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"batch": {"x": [64, 40]}}, "not a pair of a floating-point tensor"),
        ({"batch": [{"shape": [64, 8], "dtype": "int64"}, None]}, "not a pair of a floating-point tensor"),
        ({"locks": {"computation": "plain"}}, "the rules hold computation"),
    ],
)
def test_refuses(proposed, table, changes, reason):
    refusal = proposed("standardize_inputs", SCRIPT, "unscaled-inputs", **{**table, **changes})

    assert isinstance(refusal, Refusal)
    assert reason in refusal.reason
