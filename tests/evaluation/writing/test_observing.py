"""What a step compares is written down so that it gives the same on batches of other sizes, or refused in words."""

from collections import namedtuple
from dataclasses import dataclass

import lightning.pytorch as pl
import pytest
import torch
import torchmetrics
from torch import nn
from torch.nn import functional as F

from progtrain.evaluation.asking.decoding import fitted
from tests.evaluation.writing.steps import answered, classes, observed, written


class Net(pl.LightningModule):
    def __init__(self, outputs=4):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, outputs))

    def forward(self, x):
        return self.net(x)


class Standard(Net):
    def validation_step(self, batch, batch_idx):
        x, y = batch
        self.log("val_loss", F.cross_entropy(self(x), y))


class SubjectFirst(Net):
    def validation_step(self, batch, batch_idx):
        _, y, x = batch
        self.log("val_loss", F.cross_entropy(self(x), y))


class Named(Net):
    def validation_step(self, batch, batch_idx):
        self.log("val_loss", nn.CrossEntropyLoss()(self(x=batch["ecg"]), batch["rhythm"]))


class Attributes(Net):
    def validation_step(self, batch, batch_idx):
        self.log_dict({"val_loss": F.cross_entropy(self(batch.x), batch.y)})


class WholeObject(Net):
    def forward(self, batch):
        return self.net(batch.x)

    def validation_step(self, batch, batch_idx):
        self.log("val_loss", F.cross_entropy(self(batch), batch.y))


class Part(pl.LightningModule):
    """It has no forward."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(6, 4), nn.Tanh())

    def validation_step(self, batch, batch_idx):
        x, y = batch
        return F.cross_entropy(self.net(x), y)


class Head(Net):
    def __init__(self):
        super().__init__(outputs=5)
        self.head = nn.Linear(5, 4)
        self.register_buffer("mean", torch.full((6,), 2.0))

    def validation_step(self, batch, batch_idx):
        x, y = batch
        x = (x - self.mean) / 3.0
        self.log("val_loss", F.nll_loss(F.log_softmax(self.head(self(x)), dim=1), y))


class Smoothed(Net):
    def __init__(self):
        super().__init__()
        self.criterion = nn.CrossEntropyLoss(weight=torch.tensor([1.0, 2.0, 0.5, 1.0]), label_smoothing=0.1)

    def validation_step(self, batch, batch_idx):
        self.log("val_loss", self.criterion(self(batch[0]), batch[1]))


class Focal(nn.Module):
    def forward(self, scores, target):
        chance = scores.log_softmax(dim=1).gather(1, target.unsqueeze(1)).squeeze(1)
        return (-((1 - chance.exp()) ** 2) * chance).mean()


class ByHand(Net):
    def __init__(self):
        super().__init__()
        self.focal = Focal()

    def validation_step(self, batch, batch_idx):
        self.log("val_loss", self.focal(self(batch[0]), batch[1]))


class Twofold(Net):
    def validation_step(self, batch, batch_idx):
        x, y = batch
        scores = self(x)
        self.log("val_loss", F.cross_entropy(scores, y) + 0.1 * F.multi_margin_loss(scores, y))


class OneHot(Net):
    def validation_step(self, batch, batch_idx):
        x, y = batch
        self.log("val_loss", F.cross_entropy(self(x), y))


class FromOne(Net):
    def validation_step(self, batch, batch_idx):
        x, y = batch
        self.log("val_loss", F.cross_entropy(self(x), y - 1))


class OneScore(Net):
    def __init__(self):
        super().__init__(outputs=1)

    def validation_step(self, batch, batch_idx):
        x, y = batch
        weight = torch.tensor(3.0)
        self.log("val_loss", F.binary_cross_entropy_with_logits(self(x), y.float().unsqueeze(1), pos_weight=weight))


class Window(pl.LightningModule):
    """Past and future are cut from one series in the step."""

    def __init__(self):
        super().__init__()
        self.net = nn.Linear(9, 3)

    def validation_step(self, batch, batch_idx):
        (series,) = batch
        self.log("val_loss", F.mse_loss(self.net(series[:, :9]), series[:, 9:]))


class Language(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.embed, self.head = nn.Embedding(9, 6), nn.Linear(6, 9)

    def forward(self, ids):
        return self.head(self.embed(ids))

    def validation_step(self, ids, batch_idx):
        scores = self(ids[:, :-1])
        self.log("val_loss", F.cross_entropy(scores.reshape(-1, 9), ids[:, 1:].reshape(-1)))


class Inside(nn.Module):
    """The loss is computed where the labels are given, as in transformers."""

    def __init__(self):
        super().__init__()
        self.body = nn.Linear(6, 4)

    def forward(self, values, labels=None):
        logits = self.body(values)
        loss = None if labels is None else nn.CrossEntropyLoss()(logits.view(-1, 4), labels.view(-1))
        return {"loss": loss, "logits": logits}


class Wrapped(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.model = Inside()

    def validation_step(self, batch, batch_idx):
        self.log("val_loss", self.model(batch["values"], labels=batch["labels"])["loss"])


class Kept(Net):
    """Metric objects alone are logged."""

    def __init__(self):
        super().__init__()
        self.mean, self.acc = torchmetrics.MeanMetric(), torchmetrics.classification.MulticlassAccuracy(4)

    def validation_step(self, batch, batch_idx):
        x, y = batch
        scores = self(x)
        self.mean.update(F.cross_entropy(scores, y))
        self.acc(scores, y)
        self.log("val_loss", self.mean)


class TrainingAlone(Net):
    def training_step(self, batch, batch_idx):
        return F.cross_entropy(self(batch[0]), batch[1])


class AccuracyAlone(TrainingAlone):
    def validation_step(self, batch, batch_idx):
        x, y = batch
        self.log("val_acc", (self(x).argmax(1) == y).float().mean())


class Autoencoder(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.net = nn.Linear(6, 6)

    def forward(self, x):
        return self.net(x)

    def validation_step(self, batch, batch_idx):
        self.log("val_loss", F.mse_loss(self(batch[0]), batch[0]))


class ByIndex(Net):
    def validation_step(self, batch, batch_idx):
        x, y = batch
        right = F.log_softmax(self(x), dim=1).gather(1, y[:, None]).squeeze(1)
        self.log("val_loss", (-((1 - right.exp()) ** 2) * right).mean())


class RootOfSquares(Net):
    def __init__(self):
        super().__init__(outputs=1)

    def validation_step(self, batch, batch_idx):
        x, y = batch
        self.log("val_loss", torch.sqrt(F.mse_loss(self(x).squeeze(1), y) + 1e-6))


class Dice(Net):
    def validation_step(self, batch, batch_idx):
        x, y = batch
        shares, wanted = self(x).softmax(1), F.one_hot(y, 4).float()
        self.log("val_loss", 1 - 2 * (shares * wanted).sum() / (shares + wanted).sum())


class Brier(Net):
    def validation_step(self, batch, batch_idx):
        x, y = batch
        self.log("val_loss", F.mse_loss(self(x).softmax(1), F.one_hot(y, 4).float()))


class OneAgainstAll(Net):
    def validation_step(self, batch, batch_idx):
        x, y = batch
        self.log("val_loss", F.binary_cross_entropy_with_logits(self(x), torch.eye(4)[y]))


class PlainNumber(Net):
    def validation_step(self, batch, batch_idx):
        x, y = batch
        self.log_dict({"val_loss": F.cross_entropy(self(x), y).item()})


class Asymmetric(Net):
    """It meets the targets with `1 - p` first."""

    def validation_step(self, batch, batch_idx):
        x, y = batch
        p = self(x).sigmoid()
        self.log("val_loss", -(y * (1 - p) * torch.log(p) + (1 - y) * p**2 * torch.log(1 - p)).mean())


class CrossEntropyByHand(Net):
    def __init__(self):
        super().__init__(outputs=1)

    def validation_step(self, batch, batch_idx):
        x, y = batch
        p = self(x).squeeze(1).sigmoid()
        self.log("val_loss", -((1 - y) * torch.log(1 - p) + y * torch.log(p)).mean())


class Mask(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.net = nn.Conv2d(6, 1, 1)

    def forward(self, x):
        return self.net(x)

    def validation_step(self, batch, batch_idx):
        x, y = batch
        z = self(x)
        p = z.sigmoid()
        dice = 1 - (2 * (p * y).sum() + 1) / (p.sum() + y.sum() + 1)
        self.log("val_loss", F.binary_cross_entropy_with_logits(z, y) + dice)


@dataclass
class Graph:
    x: torch.Tensor
    y: torch.Tensor


Pair = namedtuple("Pair", "x y")


class Loose:
    def __init__(self, size):
        self.x, self.y = classes(size)


def made_of(kind):
    return lambda size: kind(*classes(size))


CASES = {
    "standard": (Standard, classes, "classification", ()),
    "target in the middle": (SubjectFirst, lambda n: (torch.ones(n), *classes(n)[::-1]), "classification", ()),
    "by name": (Named, lambda n: dict(zip(("ecg", "rhythm"), classes(n), strict=True)), "classification", ()),
    "dataclass": (Attributes, made_of(Graph), "classification", ()),
    "namedtuple": (Attributes, made_of(Pair), "classification", ()),
    "object": (Attributes, Loose, "classification", ()),
    "the whole object": (WholeObject, Loose, "classification", ()),
    "a part": (Part, classes, "classification", ("return model.net(inputs)",)),
    "head and normalization": (
        Head,
        classes,
        "classification",
        ("return F.log_softmax(model.head(model((inputs - model.mean) / 3.0)), dim=1)",),
    ),
    "weights and smoothing": (Smoothed, classes, "classification", ()),
    "focal": (ByHand, classes, "classification", ()),
    "two losses": (Twofold, classes, "classification", ()),
    "classes from 1": (FromOne, lambda n: (torch.randn(n, 6), torch.randint(1, 5, (n,))), "classification", ()),
    "one-hot": (OneHot, lambda n: (torch.randn(n, 6), torch.eye(4)[torch.randint(4, (n,))]), "classification", ()),
    "one score": (OneScore, lambda n: (torch.randn(n, 6), torch.randint(2, (n,))), "classification", ()),
    "window": (Window, lambda n: (torch.randn(n, 12),), "forecasting", ("return model.net(inputs[:, :9])",)),
    "language": (Language, lambda n: torch.randint(9, (n, 8)), "language-modelling", ("return model(inputs[:, :-1])",)),
    "loss inside": (
        Wrapped,
        lambda n: dict(zip(("values", "labels"), classes(n), strict=True)),
        "classification",
        ("return model.model.body(inputs)",),
    ),
    "metric objects": (Kept, classes, "classification", ()),
    "by index": (ByIndex, classes, "classification", ()),
    "root of squares": (RootOfSquares, lambda n: (torch.randn(n, 6), torch.randn(n)), "regression", ()),
    "dice": (Dice, classes, "classification", ()),
    "brier": (Brier, classes, "classification", ("return model(inputs).softmax(1)",)),
    "one against all": (OneAgainstAll, classes, "classification", ()),
    "a plain number": (PlainNumber, classes, "classification", ()),
    "asymmetric": (
        Asymmetric,
        lambda n: (torch.randn(n, 6), torch.randint(2, (n, 4))),
        "multilabel-classification",
        (),
    ),
    "cross entropy by hand": (
        CrossEntropyByHand,
        lambda n: (torch.randn(n, 6), torch.randint(2, (n,))),
        "classification",
        (),
    ),
    "cross entropy and dice of a mask": (
        Mask,
        lambda n: (torch.randn(n, 6, 8, 8), torch.randint(2, (n, 1, 8, 8)).float()),
        "segmentation",
        (),
    ),
    "training step alone": (TrainingAlone, classes, "classification", ()),
    "accuracy alone": (AccuracyAlone, classes, "classification", ()),
    "autoencoder": (Autoencoder, lambda n: (torch.randn(n, 6), torch.zeros(n)), "regression", ()),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_written_gives_the_loss_of_the_step(case):
    kind, make, task, body = CASES[case]
    model = kind()
    seen = observed(model, make, task)
    assert not seen.lacking, seen.lacking
    assert seen.outputs == body
    batch = make(9)  # of a size that was not seen
    outputs, targets = answered(seen, model, batch)
    with torch.no_grad():
        loss = written("loss", "outputs, targets", seen.loss)(*fitted(outputs, targets, task))
        logged = {}
        object.__setattr__(model, "log", lambda name, value: logged.update({name: value}))
        object.__setattr__(model, "log_dict", logged.update)
        step = model.training_step if kind in (TrainingAlone, AccuracyAlone) else model.validation_step
        returned = step(batch, 0)
    own = torch.as_tensor(logged.get("val_loss", returned)) if case != "metric objects" else logged["val_loss"]
    own = own.compute() if case == "metric objects" else own
    if case == "metric objects":  # which keeps the mean of all that it was given
        own = F.cross_entropy(outputs, targets)
    assert loss.item() == pytest.approx(own.item(), rel=1e-4)


class Heads(Net):
    def __init__(self):
        super().__init__()
        self.other = nn.Linear(6, 2)

    def validation_step(self, batch, batch_idx):
        x, y = batch["x"], batch["species"]
        self.log("val_loss", F.cross_entropy(self(x), y) + F.cross_entropy(self.other(x), batch["sex"]))


class Triplet(Net):
    def validation_step(self, batch, batch_idx):
        anchor, positive, negative = (self(part) for part in batch)
        self.log("val_loss", F.triplet_margin_loss(anchor, positive, negative))


class Contrast(Net):
    def validation_step(self, batch, batch_idx):
        x, y = batch
        near = self(x) @ self(x).T
        self.log("val_loss", ((near - (y[:, None] == y[None]).float()) ** 2).mean())


class Quantiles(Net):
    def validation_step(self, batch, batch_idx):
        errors = [(q, batch[1] - self(batch[0])[:, i]) for i, q in enumerate((0.1, 0.5, 0.9))]
        self.log("val_loss", sum(torch.maximum(q * error, (q - 1) * error).mean() for q, error in errors))


class DiceByClass(Net):
    def validation_step(self, batch, batch_idx):
        shares, y = self(batch[0]).softmax(1), batch[1]
        each = [(shares[:, c] * (y == c)).sum() / (shares[:, c].sum() + (y == c).sum()) for c in range(4)]
        self.log("val_loss", 1 - 2 * sum(each) / 4)


class ClassAsValue(Net):
    def __init__(self):
        super().__init__(outputs=1)

    def validation_step(self, batch, batch_idx):
        self.log("val_loss", F.mse_loss(self(batch[0]).squeeze(1), batch[1].float()))


class Ordinal(Net):
    def __init__(self):
        super().__init__(outputs=3)

    def validation_step(self, batch, batch_idx):
        above = (batch[1][:, None] > torch.arange(3)[None]).float()
        self.log("val_loss", F.binary_cross_entropy_with_logits(self(batch[0]), above))


class Manual(Net):
    def __init__(self):
        super().__init__()
        self.automatic_optimization = False

    def training_step(self, batch, batch_idx):
        raise AssertionError("it is not run")

    def validation_step(self, batch, batch_idx):
        self.log("val_gap", (self(batch[0]).mean(0) - 1).abs().mean())


class Raises(Net):
    def validation_step(self, batch, batch_idx):
        raise KeyError("embedding")


@pytest.mark.parametrize(
    ("kind", "make", "told"),
    [
        (
            Heads,
            lambda n: {"x": torch.randn(n, 6), "species": torch.randint(4, (n,)), "sex": torch.randint(2, (n,))},
            "several losses compare different outputs and targets",
        ),
        (Triplet, lambda n: tuple(torch.randn(n, 6) for _ in range(3)), "no operation compares an output"),
        (Contrast, classes, "it compares the samples of a batch with each other"),
        (Quantiles, lambda n: (torch.randn(n, 6), torch.randn(n)), "several parts of the outputs one by one"),
        (DiceByClass, classes, "several parts of the outputs one by one"),
        (ClassAsValue, classes, "its outputs [7, 1] answer classes from 0 to 1, its targets are 0 to 3"),
        (Ordinal, classes, "its outputs [7, 3] answer classes from 0 to 2, its targets are 0 to 3"),
        (Raises, classes, "KeyError: 'embedding'"),
        (Manual, classes, "training_step: it steps its optimizers itself"),
        (Net, classes, "has no validation_step"),
    ],
)
def test_what_cannot_be_followed_is_said_with_the_parts_of_the_batch(kind, make, told):
    seen = observed(kind(), make)
    assert told in seen.lacking["split"]
    assert seen.candidates
    assert all("[7" in each for each in seen.candidates)


class Divergence(Autoencoder):
    """A term of the loss follows from more than the output."""

    def validation_step(self, batch, batch_idx):
        hidden = self.net[0](batch[0])
        self.log("val_loss", F.mse_loss(self.net[1](hidden), batch[0]) + 0.1 * hidden.square().mean())

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(6, 3), nn.Linear(3, 6))


def test_a_loss_of_more_than_outputs_and_targets_is_not_stated():
    seen = observed(Divergence(), lambda n: (torch.randn(n, 6), torch.zeros(n)), "regression")
    assert not seen.lacking
    assert (seen.loss, seen.loss_reason) == ((), "it needs more of the model than its outputs")


class Penalized(Net):
    def validation_step(self, batch, batch_idx):
        x, y = batch
        self.log("val_loss", F.cross_entropy(self(x), y) + 0.01 * sum((p**2).sum() for p in self.parameters()))


def test_weights_are_not_written_into_a_loss_as_constants():
    seen = observed(Penalized(), classes)
    assert not seen.lacking
    assert (seen.loss, seen.loss_reason) == ((), "it needs the weights of the model")


@pytest.mark.parametrize(
    ("case", "single"),
    [("cross entropy and dice of a mask", True), ("cross entropy by hand", True), ("training step alone", False)],
)
def test_one_score_a_pixel_or_a_sample_is_told_from_one_for_each_class(case, single):
    kind, make, task, _ = CASES[case]
    seen = observed(kind(), make, task)
    assert (seen.single, seen.threshold) == (single, "0")


class Confident(Standard):
    def predict_step(self, batch, batch_idx):
        return self(batch[0]).softmax(1).max(1).values


class Labels(Standard):
    def predict_step(self, batch, batch_idx):
        return self(batch[0]).argmax(1)


class Scaled(Autoencoder):
    def predict_step(self, batch, batch_idx):
        return 100 * self(batch[0])


@pytest.mark.parametrize(
    ("kind", "make", "task", "told"),
    [
        (Labels, classes, "classification", ""),
        (Confident, classes, "classification", "it gives [7] float32, the loss sees [7, 4]"),
        (Scaled, lambda n: (torch.randn(n, 6), torch.zeros(n)), "regression", "in another unit"),
    ],
)
def test_predict_step_is_asked_where_it_means_the_same(kind, make, task, told):
    seen = observed(kind(), make, task)
    assert seen.predict_step is (told == "")
    assert told in seen.predict_reason
