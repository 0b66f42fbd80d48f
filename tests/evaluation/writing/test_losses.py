"""Losses as people write them: restated exactly, with targets as a metric takes them, or left open with a reason."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tests.evaluation.writing.steps import (
    ANOTHER_SIZE,
    Case,
    Step,
    answered,
    classes,
    columns,
    layers,
    measured,
    observed,
    own,
    tokens,
    two_classes,
    values,
)

ce, bce, mse = F.cross_entropy, F.binary_cross_entropy_with_logits, F.mse_loss
SEGMENT = {"conv": nn.Conv2d(3, 4, 1)}
MASKS = {"conv": nn.Conv2d(3, 1, 1)}
ONE, THREE = {"net": layers(outputs=1)}, {"net": layers(outputs=3)}
PLAIN = ("return F.cross_entropy(outputs, targets)",)
SQUARES = ("return F.mse_loss(outputs, targets)",)
LOGITS = ("return F.binary_cross_entropy_with_logits(outputs, targets.float())",)
BOTH = ("return batch[0], batch[1]",)
CONV = ("return model.conv(inputs)",)


class Criterion(nn.Module):
    def __init__(self, quantile):
        super().__init__()
        self.quantile = quantile

    def forward(self, forecast, truth):
        error = truth - forecast
        return torch.max(self.quantile * error, (self.quantile - 1) * error).mean()


class Squeezed(Step):
    def forward(self, x):
        return self.conv(x).squeeze(1)


def dice(shares, wanted):
    return 1 - (2 * (shares * wanted).sum() + 1) / (shares.sum() + wanted.sum() + 1)


def focal(loss):
    return ((1 - torch.exp(-loss)) ** 2 * loss).mean()


def pixels(size):
    return torch.randn(size, 3, 4, 4), torch.randint(4, (size, 4, 4))


def masks(size):
    return torch.randn(size, 3, 4, 4), torch.randint(2, (size, 4, 4)).float()


def labels(size):
    return torch.randn(size, 6), torch.randint(2, (size, 4)).float()


LAYOUTS = {
    "tokens in a row": Case(
        lambda m, b: ce(m(b[0]).view(-1, 4), b[1].view(-1)), tokens, loss=PLAIN, task="token-classification"
    ),
    "classes second": Case(
        lambda m, b: ce(m(b[0]).permute(0, 2, 1), b[1]), tokens, loss=PLAIN, task="token-classification"
    ),
    "outputs squeezed": Case(
        lambda m, b: mse(m(b[0]).squeeze(-1), b[1]), values, loss=SQUARES, task="regression", parts=ONE
    ),
    "targets unsqueezed": Case(
        lambda m, b: mse(m(b[0]), b[1].unsqueeze(1)), values, loss=SQUARES, task="regression", parts=ONE
    ),
    "columns": Case(lambda m, b: mse(m(b[0]), b[1]), columns, loss=SQUARES, task="regression", parts=ONE),
    "doubles": Case(
        lambda m, b: mse(m(b[0]), b[1].view(-1, 1).float()),
        lambda n: (values(n)[0], values(n)[1].double()),
        loss=SQUARES,
        task="regression",
        parts=ONE,
    ),
    "classes in a column of floats": Case(
        lambda m, b: ce(m(b[0]), b[1].squeeze(1).long()),
        lambda n: (classes(n)[0], classes(n)[1][:, None].float()),
    ),
    "targets on a scale of the module's": Case(
        lambda m, b: mse(m(b[0]), torch.log1p(b[1].abs())),
        columns,
        ("return batch[0], torch.log1p(batch[1].abs())",),
        loss=SQUARES,
        task="regression",
        parts=ONE,
    ),
    "outputs on the targets' scale": Case(
        lambda m, b: F.huber_loss(m(b[0]) * m.std + m.mean, b[1], delta=0.5),
        columns,
        BOTH,
        ("return (model(inputs) * model.std) + model.mean",),
        ("return F.huber_loss(outputs, targets, delta=0.5)",),
        "regression",
        {**ONE, "mean": torch.tensor(2.0), "std": torch.tensor(3.0)},
    ),
    "bytes": Case(
        lambda m, b: ce(m.conv(b[0]), b[1].long()),
        lambda n: (pixels(n)[0], pixels(n)[1].byte()),
        BOTH,
        CONV,
        task="segmentation",
        parts=SEGMENT,
    ),
    "masks of one score": Case(
        lambda m, b: bce(m(b[0]), b[1]), masks, loss=LOGITS, task="segmentation", parts=MASKS, kind=Squeezed
    ),
    "masks with a channel": Case(
        lambda m, b: bce(m.conv(b[0]), b[1].unsqueeze(1)), masks, BOTH, CONV, LOGITS, "segmentation", MASKS
    ),
    "several labels": Case(
        lambda m, b: bce(m(b[0]), b[1], pos_weight=m.weight),
        labels,
        loss=(
            "return F.binary_cross_entropy_with_logits(outputs, targets.float(), "
            "pos_weight=torch.tensor([1.0, 2.0, 3.0, 4.0], dtype=torch.float32))",
        ),
        task="multilabel-classification",
        parts={"weight": torch.arange(1.0, 5.0)},
    ),
}
LOSSES = {
    "a sum": Case(
        lambda m, b: ce(m(b[0]), b[1], reduction="sum"),
        classes,
        loss=('return F.cross_entropy(outputs, targets, reduction="sum")',),
    ),
    "a sum by the number of samples": Case(
        lambda m, b: ce(m(b[0]), b[1], reduction="sum") / b[0].size(0),
        classes,
        loss=('return F.cross_entropy(outputs, targets, reduction="sum") / len(targets)',),
    ),
    "a mean of each": Case(
        lambda m, b: ce(m(b[0]), b[1], reduction="none").mean(),
        classes,
        loss=('return F.cross_entropy(outputs, targets, reduction="none").mean()',),
    ),
    "log-probabilities": Case(
        lambda m, b: F.nll_loss(F.log_softmax(m(b[0]), dim=-1), b[1]),
        classes,
        BOTH,
        ("return F.log_softmax(model(inputs), dim=-1)",),
        ("return F.nll_loss(outputs, targets)",),
    ),
    "probabilities": Case(
        lambda m, b: F.binary_cross_entropy(torch.sigmoid(m(b[0])), b[1].float().unsqueeze(1)),
        two_classes,
        BOTH,
        ("return torch.sigmoid(model(inputs))",),
        ("return F.binary_cross_entropy(outputs, targets.float())",),
        parts=ONE,
    ),
    "focal": Case(
        lambda m, b: focal(ce(m(b[0]), b[1], reduction="none")),
        classes,
        loss=(
            'v1 = F.cross_entropy(outputs, targets, reduction="none")',
            "return (((1 - torch.exp(-v1)) ** 2) * v1).mean()",
        ),
    ),
    "smoothed by hand": Case(
        lambda m, b: F.kl_div(m(b[0]).log_softmax(1), 0.9 * F.one_hot(b[1], 4) + 0.025, reduction="batchmean"),
        classes,
        loss=('return F.kl_div(outputs.log_softmax(1), (F.one_hot(targets, 4) * 0.9) + 0.025, reduction="batchmean")',),
    ),
    "one against all": Case(
        lambda m, b: bce(m(b[0]), F.one_hot(b[1], 4).float()),
        classes,
        loss=("return F.binary_cross_entropy_with_logits(outputs, F.one_hot(targets, 4).float())",),
    ),
    "by range": Case(
        lambda m, b: -m(b[0]).log_softmax(1)[range(len(b[1])), b[1]].mean(),
        classes,
        loss=("return -outputs.log_softmax(1)[range(len(targets)), targets].mean()",),
    ),
    "hinge": Case(
        lambda m, b: (1 - (2 * b[1] - 1) * m(b[0]).squeeze(1)).clamp(min=0).mean(),
        two_classes,
        loss=(
            "outputs = outputs.reshape(-1, 1)",
            "v1 = (1 - (((targets * 2) - 1) * outputs.squeeze(1))).clamp(min=0)",
            "return v1.mean()",
        ),
        parts=ONE,
    ),
    "labels -1 and +1": Case(
        lambda m, b: F.soft_margin_loss(m(b[0]), b[1]),
        lambda n: (torch.randn(n, 6), 2 * torch.randint(2, (n, 1)).float() - 1),
        ("return batch[0], (batch[1] > 0).long()",),
        loss=(
            "outputs = outputs.reshape(-1, 1)",
            "targets = targets.reshape(-1, 1)",
            "targets = targets * 2 - 1",
            "targets = targets.float()",
            "return F.soft_margin_loss(outputs, targets)",
        ),
        parts=ONE,
    ),
    "a criterion of the script's own": Case(
        lambda m, b: m.criterion(m(b[0]).squeeze(1), b[1]),
        values,
        loss=(
            "outputs = outputs.reshape(-1, 1)",
            "v1 = targets - outputs.squeeze(1)",
            "return torch.max(v1 * 0.9, v1 * (-0.09999999999999998)).mean()",
        ),
        task="regression",
        parts={**ONE, "criterion": Criterion(0.9)},
    ),
    "log cosh": Case(
        lambda m, b: torch.log(torch.cosh(m(b[0]) - b[1])).mean(),
        lambda n: columns(n, 4),
        loss=("return torch.log(torch.cosh(outputs - targets)).mean()",),
        task="regression",
    ),
    "dice of classes made one-hot": Case(
        lambda m, b: dice(m.conv(b[0]).softmax(1), F.one_hot(b[1], 4).permute(0, 3, 1, 2)),
        pixels,
        BOTH,
        CONV,
        (
            "v1 = outputs.softmax(1)",
            "v2 = F.one_hot(targets, 4).permute(0, 3, 1, 2)",
            "return 1 - ((((v1 * v2).sum() * 2) + 1) / ((v1.sum() + v2.sum()) + 1))",
        ),
        "segmentation",
        SEGMENT,
    ),
    "dice of one-hot masks": Case(
        lambda m, b: dice(m.conv(b[0]).softmax(1), b[1]),
        lambda n: (pixels(n)[0], F.one_hot(pixels(n)[1], 4).permute(0, 3, 1, 2).float()),
        ("return batch[0], batch[1].argmax(dim=1)",),
        CONV,
        (
            "targets = F.one_hot(targets, 4).movedim(-1, 1).float()",
            "v1 = outputs.softmax(1)",
            "v2 = (((v1 * targets).sum() * 2) + 1) / ((v1.sum() + targets.sum()) + 1)",
            "return 1 - v2",
        ),
        "segmentation",
        SEGMENT,
    ),
    "dice of one-hot masks, classes last": Case(
        lambda m, b: dice(m.conv(b[0]).softmax(1), b[1].permute(0, 3, 1, 2)),
        lambda n: (pixels(n)[0], F.one_hot(pixels(n)[1], 4)),
        ("return batch[0], batch[1].argmax(dim=3)",),
        CONV,
        (
            "targets = F.one_hot(targets, 4)",
            "v1 = outputs.softmax(1)",
            "v2 = targets.permute(0, 3, 1, 2)",
            "return 1 - ((((v1 * v2).sum() * 2) + 1) / ((v1.sum() + v2.sum()) + 1))",
        ),
        "segmentation",
        SEGMENT,
    ),
}


@pytest.mark.parametrize("case", [*LAYOUTS.values(), *LOSSES.values()], ids=[*LAYOUTS, *LOSSES])
def test_a_loss_is_restated(case):
    model = case.model()
    seen = observed(model, case.make, case.task)
    assert seen.lacking == {}
    assert (seen.split, seen.outputs, seen.loss) == (case.split, case.outputs, case.loss)
    batch = case.make(ANOTHER_SIZE)
    assert measured(seen, model, batch, case.task) == pytest.approx(own(model, batch), rel=1e-4)


class Variational(Step):
    def forward(self, x):
        mean, spread = self.net(x).chunk(2, dim=1)
        return self.decoder(mean), mean, spread


def elbo(module, batch):
    again, mean, spread = module(batch[0])
    return mse(again, batch[0]) - 0.5 * (1 + spread - mean**2 - spread.exp()).mean()


def gaussian(module, batch):
    found = module(batch[0])
    return F.gaussian_nll_loss(found[:, 0], batch[1], found[:, 1].exp())


def weighted(size):
    return (*classes(size), torch.rand(size))


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        (
            Case(elbo, values, task="regression", parts={"decoder": nn.Linear(2, 6)}, kind=Variational),
            "it needs more of the model than its outputs",
        ),
        (
            Case(gaussian, values, task="regression", parts={"net": layers(outputs=2)}),
            "it needs more of the model than its outputs",
        ),
        (
            Case(lambda m, b: (ce(m(b[0]), b[1], reduction="none") * b[2]).mean(), weighted),
            "it needs batch[2] too",
        ),
        (
            Case(lambda m, b: ce(m(b[0]), b[1], weight=torch.bincount(b[1], minlength=4) + 1.0), classes),
            "its weights differ from batch to batch",
        ),
        (
            Case(lambda m, b: ce(m(b[0]), b[1]) + m.temperature.square(), classes),
            "it needs the weights of the model",
        ),
    ],
    ids=["variational", "gaussian", "weights of samples", "weights by frequency", "a penalty"],
)
def test_of_a_loss_that_takes_more_only_what_is_compared_is_written(case, reason):
    model = case.model()
    model.temperature = nn.Parameter(torch.tensor(2.0))
    seen = observed(model, case.make, case.task)
    assert (seen.lacking, seen.loss, seen.loss_reason) == ({}, (), reason)
    batch = case.make(ANOTHER_SIZE)
    outputs, targets = answered(seen, model, batch)
    truth = batch[0] if case.kind is Variational else batch[1]
    assert torch.equal(targets, truth)
    scores = model(batch[0])
    scores = scores[0] if isinstance(scores, tuple) else scores
    assert torch.allclose(outputs, scores[:, 0] if case.step is gaussian else scores)


def test_random_numbers_that_a_step_draws_are_drawn_again():
    case = Case(lambda m, b: mse(m(b[0] + 0.1 * torch.randn_like(b[0])), b[0]), values, parts={"net": layers(6, 6)})
    seen = observed(case.model(), case.make, "regression")
    assert seen.outputs == ("return model(inputs + (torch.randn_like(inputs) * 0.1))",)
    assert (seen.split, seen.loss) == (("return batch[0], batch[0]",), SQUARES)
