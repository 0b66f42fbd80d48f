"""What changes a loss changes the training's: the child's validation step measures what the parent's measured."""

from pathlib import Path

import pytest
import torch

from progtrain.actions import Situation, catalogue
from progtrain.records import Finding, Proposal, Refusal
from progtrain.rules import Rules
from progtrain.script.capturing.capture import CapturedFit, capture_fit
from progtrain.script.capturing.observe_step import log_silenced
from progtrain.script.reading.anatomy import read_anatomy
from progtrain.script.settings.knob_values import differing
from progtrain.steps.guard import differs_wrongly

HEAD = """\
import functools

import lightning as L
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

LOSSES = {"ce": nn.CrossEntropyLoss, "mse": nn.MSELoss}


"""
CLASS = """\
class Net(L.LightningModule):
    def __init__(self, loss_fn=None, loss_name="ce"):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 3))
        HELD

    def forward(self, x):
        return self.net(x)

    STEPS

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=1e-3)


L.seed_everything(42, verbose=False)
data = TensorDataset(torch.randn(256, 8), (torch.rand(256) ** 3 * 3).long())
trainer = L.Trainer(max_epochs=8, logger=False, enable_checkpointing=False, enable_progress_bar=False)
trainer.fit(MADE, DataLoader(data, batch_size=32, shuffle=True), DataLoader(data, batch_size=32))
"""
SHARED = """\
def _shared_step(self, batch, stage):
        x, y = batch
        loss = LOSS(self(x), y)
        self.log(f"{stage}_loss", loss)
        return loss

    def training_step(self, batch, index):
        return self._shared_step(batch, "train")

    def validation_step(self, batch, index):
        return self._shared_step(batch, "val")"""
APART = """\
def training_step(self, batch, index):
        x, y = batch
        return LOSS(self(x), y)

    def validation_step(self, batch, index):
        x, y = batch
        loss = LOSS(self(x), y)
        self.log("val_loss", loss)
        return loss"""
HELPED = """\
def training_step(self, batch, index):
        return loss_of(self(batch[0]), batch[1])

    def validation_step(self, batch, index):
        return loss_of(self(batch[0]), batch[1])"""
INHERITED = """\
def validation_step(self, batch, index):
        return self.training_step(batch, index)

    def training_step(self, batch, index):
        x, y = batch
        return LOSS(self(x), y)"""


def script(steps: str, loss: str = "F.cross_entropy", held: str = "pass", made: str = "Net()", above: str = "") -> str:
    text = HEAD + above + CLASS.replace("STEPS", steps).replace("LOSS(", f"{loss}(")
    return text.replace("HELD", held).replace("MADE", made)


HELPER = "def loss_of(scores, targets):\n    return F.cross_entropy(scores, targets)\n\n\n"
CRITERION = "self.criterion = nn.CrossEntropyLoss()"
MADE_BY_NAME = """\
def made(name):
    if name == "l1":
        return nn.L1Loss()
    elif name.lower() in ("ce", "cross_entropy"):
        return nn.CrossEntropyLoss()
    raise ValueError(name)


"""
LOGARITHMS = ("return self.net(x)", "return F.log_softmax(self.net(x), dim=1)")
SCRIPTS = {
    "shared": script(SHARED),
    "shared module": script(SHARED, "self.criterion", CRITERION),
    "shared argument": script(SHARED, "self.loss_fn", "self.loss_fn = loss_fn", "Net(F.cross_entropy)"),
    "shared module as an argument": script(
        SHARED, "self.loss_fn", "self.loss_fn = loss_fn", "Net(loss_fn=nn.CrossEntropyLoss())"
    ),
    "module of a table": script(SHARED, "self.loss", "self.loss = LOSSES[loss_name]()"),
    "module by its name": script(SHARED, "self.loss", 'self.loss = getattr(nn, "CrossEntropyLoss")()'),
    "partial": script(SHARED, "self.loss", 'self.loss = functools.partial(F.cross_entropy, reduction="mean")'),
    "apart": script(APART),
    "module for both": script(APART, "self.criterion", CRITERION),
    "module of the class": script(APART, "self.criterion", above="", held="pass").replace(
        "    def __init__", "    criterion = nn.CrossEntropyLoss()\n\n    def __init__"
    ),
    "argument for both": script(APART, "self.loss_fn", "self.loss_fn = loss_fn", "Net(F.cross_entropy)"),
    "helper function": script(HELPED, above=HELPER),
    "helper function of the model": script(
        HELPED.replace("loss_of(self(batch[0]), batch[1])", "loss_of(self, batch)"),
        above="def loss_of(model, batch):\n    return F.cross_entropy(model(batch[0]), batch[1])\n\n\n",
    ),
    "validation trains along": script(INHERITED),
    "loss in forward": script(SHARED.replace("LOSS(self(x), y)", "self(x, y)")).replace(
        "def forward(self, x):\n        return self.net(x)",
        "def forward(self, x, y):\n        return F.cross_entropy(self.net(x), y)",
    ),
    "lambda": script(SHARED, "self.loss", "self.loss = lambda scores, targets: F.cross_entropy(scores, targets)"),
    "what a function returns by a name": script(SHARED, "self.loss", "self.loss = made(loss_name)", above=MADE_BY_NAME),
    "what a function returns, for training": script(
        APART, "self.loss", "self.loss = made(loss_name)", above=MADE_BY_NAME
    ).replace("loss = self.loss(self(x), y)", "loss = F.cross_entropy(self(x), y)"),
    "branches": script(
        SHARED,
        "self.loss",
        'if loss_name == "l1":\n            self.loss = nn.L1Loss()\n'
        "        else:\n            self.loss = nn.CrossEntropyLoss()",
    ),
    "a condition": script(
        APART, "self.loss", 'self.loss = nn.L1Loss() if loss_name == "l1" else nn.CrossEntropyLoss()'
    ),
    "a property": script(SHARED, "self.loss").replace(
        "    def forward", "    @property\n    def loss(self):\n        return F.cross_entropy\n\n    def forward"
    ),
    "shared nll_loss": script(SHARED, "F.nll_loss").replace(*LOGARITHMS),
    "NLLLoss for both": script(APART, "self.criterion", "self.criterion = nn.NLLLoss()").replace(*LOGARITHMS),
}
CLASSIFYING = ("label_smoothing", "focal_loss", "class_weights")
NUMBERS = ("(torch.rand(256) ** 3 * 3).long()", "50 * torch.randn(256, 3)")
REGRESSIONS = {
    name: source.replace("cross_entropy", "mse_loss").replace("CrossEntropyLoss", "MSELoss").replace(*NUMBERS)
    for name, source in SCRIPTS.items()
    if "log_softmax" not in source
}
ROWS = [
    *((name, source, action) for name, source in SCRIPTS.items() for action in CLASSIFYING),
    *(
        (f"{name}, numbers", source, action)
        for name, source in REGRESSIONS.items()
        for action in ("huber_loss", "absolute_loss")
    ),
]
#: The weights belong to the model, which a plain function is not given.
NOT_SEPARATED = {("helper function", "class_weights")}

pytestmark = pytest.mark.filterwarnings("ignore")


def capture(folder: Path, source: str) -> CapturedFit:
    path = folder / "02_train_v001.py"
    path.write_text(source, encoding="utf-8")
    return capture_fit(path)


def offer(source: str, parent: CapturedFit, action: str) -> Proposal | Refusal:
    finding = Finding(name=catalogue()[action].answers[0], numbers={}, severity=1.0, message="")
    return catalogue()[action].propose(
        Situation(anatomy=read_anatomy(source), snapshot=parent.snapshot, findings=(finding,), history=(), locks={})
    )


def losses(fit: CapturedFit, weights: dict[str, torch.Tensor]) -> tuple[float, float]:
    """Of the training step and of the validation step, on the same weights and samples."""
    fit.model.load_state_dict(weights, strict=False)
    batch = next(iter(fit.valid_loader))
    with log_silenced(fit.model):
        trained = fit.model.train().training_step(batch, 0)
        measured = fit.model.eval().validation_step(batch, 0)
    return float(trained), float(measured)


@pytest.mark.parametrize(("name", "source", "action"), ROWS, ids=[f"{row[2]}: {row[0]}" for row in ROWS])
def test_validation_measures_as_before(tmp_path, name, source, action):
    parent = capture(tmp_path, source)
    proposal = offer(source, parent, action)
    if (name, action) in NOT_SEPARATED:
        assert isinstance(proposal, Refusal)
        assert "which is to keep the weights" in proposal.reason
        return
    assert isinstance(proposal, Proposal), proposal.reason
    child_source = catalogue()[action].apply(source, proposal.parameters)
    child = capture(tmp_path, child_source)
    assert child.snapshot.measured == parent.snapshot.measured != ()
    assert set() < differing(parent.snapshot, child.snapshot) <= set(proposal.touches)
    weights = {key: value.clone() for key, value in parent.model.state_dict().items()}
    before, after = losses(parent, weights), losses(child, weights)
    assert after[1] == before[1], child_source
    assert after[0] != pytest.approx(before[0], rel=1e-4), child_source


@pytest.mark.parametrize("action", ["mixup", "balanced_sampler", "crop_augmentation", "cutout"])
def test_nll_loss_is_a_loss_over_classes(tmp_path, action):
    flat = "F.log_softmax(self.net(x), dim=1)"
    convolving = "F.log_softmax(self.net(F.conv1d(x[:, None], torch.ones(1, 1, 3), padding=1)[:, 0]), dim=1)"
    source = SCRIPTS["shared nll_loss"].replace(flat, convolving).replace("Linear(8,", "Linear(16,")
    source = source.replace("torch.randn(256, 8)", "torch.randn(256, 16)")
    parent = capture(tmp_path, source)
    proposal = offer(source, parent, action)
    assert isinstance(proposal, Proposal), proposal.reason
    child = capture(tmp_path, catalogue()[action].apply(source, proposal.parameters))
    assert set() < differing(parent.snapshot, child.snapshot) <= set(proposal.touches)
    weights = {key: value.clone() for key, value in parent.model.state_dict().items()}
    assert losses(child, weights)[1] == losses(parent, weights)[1]


def test_a_child_that_would_measure_otherwise_is_refused(tmp_path):
    source = SCRIPTS["shared"]
    parent = capture(tmp_path, source)
    proposal = offer(source, parent, "label_smoothing")
    assert isinstance(proposal, Proposal)
    smoothed = capture(tmp_path, source.replace("self(x), y)", "self(x), y, label_smoothing=0.05)")).snapshot
    reason = differs_wrongly(Rules(), parent.snapshot, smoothed, proposal)
    assert reason is not None
    assert reason.startswith("validation would measure by cross_entropy(ignore_index=-100, label_smoothing=0.05")


REFUSED = {
    "nothing tells": (
        script(HELPED, above="loss_of = lambda scores, targets: F.cross_entropy(scores, targets)\n\n\n"),
        "nothing there tells one from the other",
    ),
    "validated in training mode": (
        SCRIPTS["shared"].replace(
            'return self._shared_step(batch, "val")', 'self.train()\n        return self._shared_step(batch, "val")'
        ),
        "validates in training mode",
    ),
    "one of several losses": (
        script(SHARED, "self.loss", "self.loss = F.cross_entropy if self.hparams == {} else F.nll_loss"),
        "self.loss(...) computes the loss, and it depends on a condition",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("action", CLASSIFYING)
def test_what_cannot_be_told_apart_is_refused(tmp_path, name, action):
    source, reason = REFUSED[name]
    refusal = offer(source, capture(tmp_path, source), action)
    assert isinstance(refusal, Refusal)
    assert reason in refusal.reason or (action == "class_weights" and "which is to keep the weights" in refusal.reason)
