"""The last bias is set from the training targets once, before fitting."""

import pytest

from progtrain.records import Call, Layer, Proposal, Refusal

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
            set_output_bias(self)

    def training_step"""
OWN_SETUP = """\
    def setup(self, stage=None):
        self.data = load(stage)

    def training_step"""
FILLED_SETUP = """\
    def setup(self, stage=None):
        self.data = load(stage)
        if stage == "fit":
            set_output_bias(self)

    def training_step"""

FUNCTION = """\
def set_output_bias(model):
    \"\"\"The last layer answers what is most likely before anything is known.\"\"\"
    model.trainer.fit_loop.setup_data()
    batches = model.trainer.train_dataloader
    targets = torch.cat([targets for _, targets in batches])
    frequencies = torch.bincount(targets, minlength=10).clamp(min=1).log()
    bias = frequencies - frequencies.mean()
    last = [layer for layer in model.modules() if isinstance(layer, nn.Linear)][-1]
    last.bias.data.copy_(bias)


"""
MEAN = FUNCTION.replace(
    """frequencies = torch.bincount(targets, minlength=10).clamp(min=1).log()
    bias = frequencies - frequencies.mean()""",
    "bias = targets.float().mean(dim=0)",
)


def filled(script: str, function: str = FUNCTION) -> str:
    return script.replace("    def training_step", SETUP).replace("class Net", function + "class Net")


SQUARED = SCRIPT.replace("cross_entropy", "mse_loss")
LINEAR = SCRIPT.replace("from torch import nn", "from torch.nn import Linear").replace("nn.Sequential", "model")
TABLE = {
    "classes": (SCRIPT, filled(SCRIPT), 10),
    "numbers": (SQUARED, filled(SQUARED, MEAN), None),
    "a setup of its own": (
        SCRIPT.replace("    def training_step", OWN_SETUP),
        SCRIPT.replace("    def training_step", FILLED_SETUP).replace("class Net", FUNCTION + "class Net"),
        10,
    ),
    "another import": (LINEAR, filled(LINEAR, FUNCTION.replace("nn.Linear", "Linear")), 10),
}


@pytest.mark.parametrize("name", TABLE)
def test_becomes(becomes, name):
    before, after, classes = TABLE[name]
    becomes("output_bias", before, after, classes=classes)


@pytest.mark.parametrize(
    ("source", "match"),
    [
        (SCRIPT.replace("training_step", "step"), "found 0"),
        (SCRIPT.replace("    def training_step", OWN_SETUP.replace("self.data =", "return")), "expected setup"),
        (SCRIPT.replace("    def training_step", OWN_SETUP.replace(", stage=None", "")), "expected setup"),
        ("set_output_bias = torch = 0\n" + SCRIPT.replace("import torch\n", ""), "torch to be free"),
    ],
)
def test_cannot(cannot, source, match):
    cannot("output_bias", source, match, classes=10)


@pytest.mark.parametrize(("kind", "classes"), [("signals", 10), ("regression", None)])
def test_proposes(request, proposed, kind, classes):
    proposal = proposed("output_bias", SCRIPT, "bad-initial-loss", **request.getfixturevalue(kind))

    assert isinstance(proposal, Proposal)
    assert proposal.parameters == {"classes": classes}
    assert proposal.touches == ("initialization",)


def _last(**fields):
    layer = {"path": "head", "type": "Linear", "arguments": {"out_features": 10, "bias": True}, "parameters": 650}
    return (Layer.model_validate({**layer, **fields}),)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"layers": _last(arguments={"out_features": 10, "bias": False})}, "not a Linear with a bias"),
        ({"layers": _last(type="Conv1d")}, "not a Linear with a bias"),
        ({"layers": _last(arguments={"out_features": 12})}, "one score for each of 10 classes"),
        ({"calls": (Call(function="poisson_nll_loss", arguments={}),)}, "got ['poisson_nll_loss']"),
        ({"calls": (Call(function="expm1", arguments={}),)}, "exponentials of what the last layer gives"),
        ({"batch": {"x": [64, 40]}}, "not a pair"),
        ({"locks": {"initialization": "torch"}}, "the rules hold initialization"),
    ],
)
def test_refuses(proposed, signals, fields, reason):
    refusal = proposed("output_bias", SCRIPT, "bad-initial-loss", **{**signals, **fields})

    assert isinstance(refusal, Refusal)
    assert reason in refusal.reason
