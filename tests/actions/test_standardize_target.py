"""The network estimates a target of mean 0 and spread 1; whoever asks the model gets answers on the target's scale."""

from textwrap import dedent

import pytest
import torch

from progtrain.actions import action_named
from progtrain.records import Call, Proposal, Refusal

SCRIPT = """\
import torch
import torch.nn.functional as F

class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(3, 1)

    def forward(self, x):
        return self.layer(x).squeeze(-1)  # prices

    def training_step(self, batch, index):
        x, y = batch
        return F.mse_loss(self(x), y)

    def validation_step(self, batch, index):
        x, y = batch
        return F.mse_loss(self(x), y)
"""
FILLED = '''\
def set_target_statistics(model):
    """Mean and spread of the training targets, in buffers that checkpoints keep."""
    model.trainer.fit_loop.setup_data()
    batches = model.trainer.train_dataloader
    targets = torch.cat([targets for _, targets in batches]).float()
    model.target_mean.copy_(targets.mean(dim=0))
    model.target_std.copy_((targets - model.target_mean).square().mean().sqrt())


'''
BUFFERS = """\
        super().__init__()
        self.register_buffer("target_mean", torch.zeros({extents}))
        self.register_buffer("target_std", torch.ones(()))
"""
SETUP = """\
    def setup(self, stage: str) -> None:
        if stage == "fit":
            set_target_statistics(self)

    def training_step"""


def standardized(script: str, extents: str = "()") -> str:
    filled = script.replace("class Net", FILLED + "class Net")
    held = filled.replace("        super().__init__()\n", BUFFERS.format(extents=extents))
    called = held.replace("    def training_step", SETUP)
    return called.replace("(self(x), y)", "(self(x) / self.target_std, y / self.target_std)", 1)


ANSWERED = " * self.target_std + self.target_mean  # prices"
AFTER = standardized(SCRIPT).replace("  # prices", ANSWERED)
SUMMED = SCRIPT.replace("return self.layer(x).squeeze(-1)  # prices", "return self.layer(x) + self.layer(x)")
SUMMED_AFTER = standardized(SUMMED, "2").replace(
    "return self.layer(x) + self.layer(x)",
    "return (self.layer(x) + self.layer(x)) * self.target_std + self.target_mean",
)
CLASS = SCRIPT.replace("F.mse_loss(self(x), y)", "self.distance(self(x), y)", 1).replace(
    "        self.layer =", "        self.distance = torch.nn.L1Loss()\n        self.layer ="
)
TABLE = {
    "a number": (SCRIPT, AFTER, []),
    "two numbers, a sum returned": (SUMMED, SUMMED_AFTER, [2]),
    "a loss that is a module": (CLASS, standardized(CLASS).replace("  # prices", ANSWERED), []),
}


@pytest.mark.parametrize("name", TABLE)
def test_becomes(becomes, name):
    before, after, size = TABLE[name]
    becomes("standardize_target", before, after, size=size)


@pytest.mark.parametrize(
    ("source", "match"),
    [
        (SCRIPT.replace("self(x), y)", "self.layer(x), y)", 1), "Line 14: self.layer is called past forward"),
        (SCRIPT.replace("self(x), y)", "self(x), y / 100)", 1), "Line 14: expected the batch's targets as they are"),
        (SCRIPT.replace("        super().__init__()\n", ""), "calls super"),
        (SCRIPT + "\ndef set_output_bias(model):\n    pass\n", "Take that back first"),
    ],
)
def test_cannot(cannot, source, match):
    cannot("standardize_target", source, match, size=[])


def test_answers_are_on_the_targets_scale_and_the_training_loss_on_the_networks():
    scope = {"__name__": "child"}
    exec(action_named("standardize_target").apply(dedent(SCRIPT), {"size": []}), scope)
    torch.manual_seed(0)
    net, x, y = scope["Net"](), torch.rand(8, 3), torch.rand(8) * 1000
    net.target_mean.fill_(500.0)
    net.target_std.fill_(300.0)
    estimated = net.layer(x).squeeze(-1)

    assert torch.allclose(net(x), estimated * 300 + 500)
    assert net.validation_step((x, y), 0).item() == pytest.approx(((estimated * 300 + 500 - y) ** 2).mean().item())
    learnt = (y - 500) / 300
    assert net.training_step((x, y), 0).item() == pytest.approx(((estimated - learnt) ** 2).mean().item(), rel=1e-4)


@pytest.mark.parametrize(("shape", "size"), [([64], []), ([64, 1], [1]), ([64, 3], [3])])
def test_proposes(proposed, regression, shape, size):
    batch = [regression["batch"][0], {"shape": shape, "dtype": "float32"}]
    proposal = proposed("standardize_target", SCRIPT, "unscaled-target", **{**regression, "batch": batch})

    assert isinstance(proposal, Proposal)
    assert (proposal.touches, proposal.parameters) == (("computation",), {"size": size})


@pytest.mark.parametrize(
    ("finding", "fields", "reason"),
    [
        ("overfitting", {}, "not known to be on a scale of its own"),
        ("unscaled-target", {"calls": (Call(function="cross_entropy", arguments={}),)}, "got ['cross_entropy']"),
        ("unscaled-target", {"batch": [{"shape": [64, 4]}, {"shape": [64, 2, 2]}]}, "one row of them"),
        ("unscaled-target", {"batch": {"x": {"shape": [64, 4]}}}, "not a pair"),
        ("unscaled-target", {"locks": {"computation": "x"}}, "the rules hold computation"),
    ],
)
def test_refuses(proposed, regression, finding, fields, reason):
    refusal = proposed("standardize_target", SCRIPT, finding, **{**regression, **fields})

    assert isinstance(refusal, Refusal)
    assert reason in refusal.reason
