"""Small validation steps for the tests of what is observed of them, and what 03_eval.py would make of a batch."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import lightning.pytorch as pl
import torch
from torch import nn
from torch.nn import functional as F

from progtrain.evaluation.asking.decoding import fitted
from progtrain.evaluation.asking.inference import forward
from progtrain.evaluation.writing.observing import observe_validation
from progtrain.evaluation.yardstick.batches import blanked, by_convention, without
from progtrain.script.capturing.inside_fit import Fit

_SCOPE = {"torch": torch, "F": F, "forward": forward, "by_convention": by_convention, "without": without}
_SCOPE["blanked"] = blanked
ANOTHER_SIZE = 9


def layers(inputs=6, outputs=4):
    return nn.Sequential(nn.Linear(inputs, 8), nn.ReLU(), nn.Linear(8, outputs))


class Step(pl.LightningModule):
    """A module whose validation step logs what a function of itself and the batch gives."""

    def __init__(self, step, **parts):
        super().__init__()
        self.net = layers()
        for name, part in parts.items():
            if isinstance(part, torch.Tensor):
                self.register_buffer(name, part)
            else:
                setattr(self, name, part)
        self.step = step

    def forward(self, x):
        return self.net(x)

    def validation_step(self, batch, batch_idx):
        logged = self.step(self, batch)
        self.log_dict(logged if isinstance(logged, dict) else {"val_loss": logged})


@dataclass(frozen=True)
class Case:
    """A step, the batches that it gets, and what is written of it.

    Args:
        step: from the module and a batch to the loss.
        make: from a number of samples to a batch.
        split: the body of split(); empty where it is the convention.
        outputs: the body of outputs(); empty where it is forward.
        loss: the body of loss().
        task: what the targets are.
        parts: members of the module.
        kind: of the module.
    """

    step: Callable[[Any, Any], Any]
    make: Callable[[int], Any]
    split: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    loss: tuple[str, ...] = ("return F.cross_entropy(outputs, targets)",)
    task: str = "classification"
    parts: dict[str, Any] = field(default_factory=dict)
    kind: type = Step

    def model(self):
        torch.manual_seed(0)
        return self.kind(self.step, **self.parts)


def classes(size):
    return torch.randn(size, 6), torch.randint(4, (size,))


def values(size):
    return torch.randn(size, 6), torch.randn(size)


def columns(size, width=1):
    return torch.randn(size, 6), torch.randn(size, width)


def two_classes(size):
    return torch.randn(size, 6), torch.randint(2, (size,))


def tokens(size):
    return torch.randn(size, 3, 6), torch.randint(4, (size, 3))


def named(*names, make=classes):
    return lambda size: dict(zip(names, make(size), strict=True))


def observed(model, make, task="classification", monitored=("val_loss",)):
    torch.manual_seed(1)
    batches = [make(size) for size in (7, 5, 1)]
    return observe_validation(Fit(None, model.eval(), None, ()), batches, task, frozenset(monitored))


def written(name, parameters, body):
    scope = dict(_SCOPE)
    exec(f"def {name}({parameters}):\n" + "".join(f"    {line}\n" for line in body), scope)
    return scope[name]


def answered(seen, model, batch):
    """Outputs and targets as the written functions give them."""
    inputs, targets = written("split", "batch", seen.split or ("return by_convention(batch)",))(batch)
    with torch.no_grad():
        return written("outputs", "model, inputs", seen.outputs or ("return forward(model, inputs)",))(
            model, inputs
        ), targets


def measured(seen, model, batch, task):
    """The loss of a batch as the written functions give it."""
    return written("loss", "outputs, targets", seen.loss)(*fitted(*answered(seen, model, batch), task)).item()


def own(model, batch):
    """The loss of a batch as the step itself logs it."""
    logged = {}
    object.__setattr__(model, "log_dict", logged.update)
    with torch.no_grad():
        model.validation_step(batch, 0)
    return float(logged["val_loss"])
