"""Whatever a batch looks like and however the model is called with it: the parts that a step takes are the ones."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tests.evaluation.writing.steps import (
    ANOTHER_SIZE,
    Case,
    Step,
    classes,
    layers,
    measured,
    named,
    observed,
    own,
    tokens,
    values,
)

ce = F.cross_entropy


class Two(Step):
    def forward(self, x, scale):
        return self.net(x) * scale


class OfMapping(Step):
    def forward(self, batch):
        return self.net(batch["x"])


class OfLabels(Step):
    """As in transformers, the loss is there where labels are."""

    def forward(self, x, labels=None):
        scores = self.net(x)
        return {"logits": scores} | ({} if labels is None else {"loss": ce(scores, labels)})


def scaled(size):
    x, y = classes(size)
    return x, torch.rand(size, 1), y


def images(size):
    return torch.randn(size, 2, 1, 3), classes(size)[1]


def nested(size):
    x, y = classes(size)
    return {"data": {"x": x}, "meta": {"y": y, "id": torch.arange(size)}}


def shift(size):
    return {"ids": torch.randint(9, (size, 8)), "mask": torch.ones(size, 8)}


CASES = {
    "extra last": Case(
        lambda m, b: ce(m(b[0]), b[1]), lambda n: (*classes(n), torch.arange(n)), ("return batch[0], batch[1]",)
    ),
    "extra between": Case(
        lambda m, b: ce(m(b[0]), b[2]),
        lambda n: (classes(n)[0], torch.arange(n) % 4, classes(n)[1]),
        ("return batch[0], batch[2]",),
    ),
    "mapping in a mapping": Case(
        lambda m, b: ce(m(b["data"]["x"]), b["meta"]["y"]),
        nested,
        ('return batch["data"]["x"], batch["meta"]["y"]',),
    ),
    "object": Case(
        lambda m, b: ce(m(b.x), b.y),
        lambda n: SimpleNamespace(**named("x", "y")(n)),
        ("return batch.x, batch.y",),
    ),
    "two inputs": Case(lambda m, b: ce(m(b[0], b[1]), b[2]), scaled, kind=Two),
    "inputs in a tuple": Case(lambda m, b: ce(m(*b[0]), b[1]), lambda n: (scaled(n)[:2], classes(n)[1]), kind=Two),
    "inputs by name": Case(
        lambda m, b: ce(m(**{name: b[name] for name in ("x", "scale")}), b["rhythm"]),
        named("x", "scale", "rhythm", make=scaled),
        ('return {"x": batch["x"], "scale": batch["scale"]}, batch["rhythm"]',),
        kind=Two,
    ),
    "a whole mapping": Case(
        lambda m, b: ce(m(b), b["stars"]),
        named("x", "stars"),
        ('return batch["x"], batch["stars"]',),
        ('return model({"x": inputs})',),
        kind=OfMapping,
    ),
    "a mapping that the step makes": Case(
        lambda m, b: ce(m({"x": b[0]}), b[1]),
        classes,
        ("return batch[0], batch[1]",),
        ('return model({"x": inputs})',),
        kind=OfMapping,
    ),
    "labels given to forward": Case(lambda m, b: m(**b)["loss"], named("x", "labels"), kind=OfLabels),
    "parts joined in the step": Case(
        lambda m, b: ce(m(torch.cat([b["left"], b["right"]], dim=1)), b["y"]),
        lambda n: {"left": torch.randn(n, 2), "right": torch.randn(n, 4), "y": classes(n)[1]},
        ('return (batch["left"], batch["right"]), batch["y"]',),
        ("left, right = inputs", "return model(torch.cat([left, right], dim=1))"),
    ),
    "channels moved": Case(
        lambda m, b: ce(m(b[0].permute(0, 3, 1, 2).flatten(1)), b[1]),
        images,
        ("return batch[0], batch[1]",),
        ("return model(inputs.permute(0, 3, 1, 2).flatten(1))",),
    ),
    "statistics that the module holds": Case(
        lambda m, b: ce(m((b[0] - m.mean) / m.std), b[1]),
        classes,
        ("return batch[0], batch[1]",),
        ("return model((inputs - model.mean) / model.std)",),
        parts={"mean": torch.rand(6), "std": 1 + torch.rand(6)},
    ),
    "a head by an odd name": Case(
        lambda m, b: ce(m.heads["my-head"](b[0]), b[1]),
        classes,
        ("return batch[0], batch[1]",),
        ('return model.heads["my-head"](inputs)',),
        parts={"heads": nn.ModuleDict({"my-head": layers()})},
    ),
    "an ensemble": Case(
        lambda m, b: ce(torch.stack([head(b[0]) for head in m.heads]).mean(0), b[1]),
        classes,
        ("return batch[0], batch[1]",),
        ("v1 = torch.stack([model.heads[0](inputs), model.heads[1](inputs)])", "return v1.mean(0)"),
        parts={"heads": nn.ModuleList([layers(), layers()])},
    ),
    "averaged weights": Case(
        lambda m, b: ce(m.ema(b[0]), b[1]),
        classes,
        ("return batch[0], batch[1]",),
        ("return model.ema(inputs)",),
        parts={"ema": layers()},
    ),
    "the last state": Case(
        lambda m, b: ce(m.net(m.rnn(b[0])[1][0][-1]), b[1]),
        lambda n: (torch.randn(n, 3, 5), classes(n)[1]),
        ("return batch[0], batch[1]",),
        ("return model.net(model.rnn(inputs)[1][0][-1])",),
        parts={"rnn": nn.LSTM(5, 6, batch_first=True)},
    ),
    "windows of one series": Case(
        lambda m, b: F.l1_loss(m.net(b["series"][:, :6]), b["series"][:, 6:]),
        lambda n: {"series": torch.randn(n, 10)},
        ('return batch["series"], batch["series"][:, 6:]',),
        ("return model.net(inputs[:, :6])",),
        ("return F.l1_loss(outputs, targets)",),
        "forecasting",
    ),
    "the next token": Case(
        lambda m, b: ce(m.net(b["ids"][:, :-1]).reshape(-1, 9), b["ids"][:, 1:].reshape(-1), ignore_index=0),
        shift,
        ('return batch["ids"], without(batch["ids"][:, 1:], 0)',),
        ("return model.net(inputs[:, :-1])",),
        task="language-modelling",
        parts={"net": nn.Sequential(nn.Embedding(9, 6), nn.Linear(6, 9))},
    ),
    "what stands out is left out": Case(
        lambda m, b: ce(m(b[0]).transpose(1, 2), b[1], ignore_index=0),
        tokens,
        ("inputs, targets = by_convention(batch)", "return inputs, without(targets, 0)"),
        task="token-classification",
    ),
    "one forecast after the other": Case(
        lambda m, b: F.mse_loss(torch.cat([m.net(b[0]), m.net(b[0] + 1)], 1), b[1].expand(-1, 8)),
        lambda n: (values(n)[0], torch.randn(n, 1)),
        ("return batch[0], batch[1].expand(-1, 8)",),
        ("return torch.cat([model.net(inputs), model.net(inputs + 1)], 1)",),
        ("return F.mse_loss(outputs, targets)",),
        "forecasting",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_parts_that_the_step_takes_are_written(name):
    case = CASES[name]
    model = case.model()
    seen = observed(model, case.make, case.task)
    assert seen.lacking == {}
    assert (seen.split, seen.outputs, seen.loss) == (case.split, case.outputs, case.loss)
    batch = case.make(ANOTHER_SIZE)
    assert measured(seen, model, batch, case.task) == pytest.approx(own(model, batch), rel=1e-4)
