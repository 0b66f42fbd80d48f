"""Classes are weighted in the training step alone, by counts that the checkpoint keeps."""

import pytest

from progtrain.records import Call, LoaderSettings, Proposal, Refusal

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
            set_class_weights(self)

    def training_step"""
OWN_SETUP = """\
    def setup(self, stage=None):
        self.data = load(stage)

    def training_step"""
FILLED_SETUP = """\
    def setup(self, stage=None):
        self.data = load(stage)
        if stage == "fit":
            set_class_weights(self)

    def training_step"""

BUFFER = """super().__init__()
        self.register_buffer("class_weights", torch.ones(10))"""
FUNCTION = """\
def set_class_weights(model):
    \"\"\"The inverse of each class's share of the training targets; 1 where all are as frequent.\"\"\"
    model.trainer.fit_loop.setup_data()
    batches = model.trainer.train_dataloader
    targets = torch.cat([targets for _, targets in batches])
    counts = torch.bincount(targets, minlength=10).clamp(min=1)
    model.class_weights.copy_(len(targets) / (len(counts) * counts))


"""


def weighted(script: str) -> str:
    held = script.replace("super().__init__()", BUFFER).replace("class Net", FUNCTION + "class Net")
    return held.replace("(self(x), y)", "(self(x), y, weight=self.class_weights)", 1)


SMOOTHED = SCRIPT.replace("y)\n", "y, label_smoothing=0.1)\n")
VALIDATED = f"""{SCRIPT}
    def validation_step(self, batch, index):
        x, y = batch
        F.cross_entropy(self(x), y)
"""
TABLE = {
    "plain": (SCRIPT, weighted(SCRIPT).replace("    def training_step", SETUP)),
    "validation stays": (VALIDATED, weighted(VALIDATED).replace("    def training_step", SETUP)),
    "further arguments": (
        SMOOTHED,
        weighted(SCRIPT).replace("    def training_step", SETUP).replace("weight=", "label_smoothing=0.1, weight="),
    ),
    "a setup of its own": (
        SCRIPT.replace("    def training_step", OWN_SETUP),
        weighted(SCRIPT).replace("    def training_step", FILLED_SETUP),
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_becomes(becomes, name):
    becomes("class_weights", *TABLE[name], classes=10)


@pytest.mark.parametrize(
    ("source", "match"),
    [
        (SCRIPT.replace("F.cross_entropy", "self.loss"), "self.loss\\(...\\) computes the loss, and Net has no loss"),
        (SCRIPT.replace("y)\n", "y, weight=w)\n"), "found 0"),
        (SCRIPT.replace("y)\n", "y, **options)\n"), "got \\* or \\*\\*"),
        (SCRIPT.replace("super().__init__()", "L.LightningModule.__init__(self)"), "calls super"),
    ],
)
def test_cannot(cannot, source, match):
    cannot("class_weights", source, match, classes=10)


def test_proposes(proposed, table):
    proposal = proposed("class_weights", SCRIPT, "imbalanced", **table)

    assert isinstance(proposal, Proposal)
    assert proposal.parameters == {"classes": 10}
    assert proposal.touches == ("loss",)


BALANCED = LoaderSettings(
    size=64, batch_size=8, shuffle=False, sampler="WeightedRandomSampler", workers=0, fingerprint=None
)
WEIGHTED = Call(function="cross_entropy", arguments={}, shapes=((64, 10), (64,), (10,)))


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"calls": (WEIGHTED,)}, "weighted already"),
        ({"calls": ()}, "not one cross entropy"),
        ({"train": BALANCED}, "balances the classes already"),
        ({"batch": {"x": [64, 40]}}, "not a pair"),
        ({"locks": {"loss": "cross_entropy"}}, "the rules hold loss"),
    ],
)
def test_refuses(proposed, table, fields, reason):
    refusal = proposed("class_weights", SCRIPT, "imbalanced", **{**table, **fields})

    assert isinstance(refusal, Refusal)
    assert reason in refusal.reason
