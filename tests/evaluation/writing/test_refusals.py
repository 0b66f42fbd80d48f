"""What is said of a step that cannot be taken over: one sentence, with what it compares by name and shape."""

import lightning.pytorch as pl
import pytest
import torch
from torch.nn import functional as F

from tests.evaluation.writing.steps import Case, Step, classes, columns, layers, observed

ce = F.cross_entropy
OTHER = {"other": layers(outputs=2)}
PARTS = ("batch['x'] [7, 6] float32", "batch['species'] [7] int64", "batch['sex'] [7] int64")
HEADS = 'forward [N, 4] and batch["species"] [N]', 'model.other [N, 2] and batch["sex"] [N]'
SEVERAL = "several losses compare different outputs and targets (cross_entropy of {}; cross_entropy of {})".format(
    *HEADS
)


class GivesTargets(Step):
    def forward(self, batch):
        return self.net(batch["x"]) + batch["y"][:, None]


class Halves(Step):
    def forward(self, x):
        return self.net(x).chunk(2, dim=1)

    def training_step(self, batch, batch_idx):
        return self.step(self, batch)


def animals(size):
    x, species = classes(size)
    return {"x": x, "species": species, "sex": torch.randint(2, (size,))}


def of_species(module, batch):
    return ce(module(batch["x"]), batch["species"])


def of_sex(module, batch):
    return ce(module.other(batch["x"]), batch["sex"])


def total_and_parts(module, batch):
    one, other = of_species(module, batch), of_sex(module, batch)
    return {"val_sex_loss": other, "val_species_loss": one, "val_loss": one + other}


def alike(module, batch):
    near = F.normalize(module(batch[0]), dim=1)
    return ce(near @ near.T, torch.arange(len(near)))


def noise(module, batch):
    drawn = torch.randn_like(batch[0])
    return F.mse_loss(module(batch[0] + drawn), drawn)


CASES = {
    "a sum over heads": (
        Case(lambda m, b: of_species(m, b) + of_sex(m, b), animals, parts=OTHER),
        f"validation_step: {SEVERAL}",
        PARTS,
    ),
    "a sum over heads beside its parts": (
        Case(total_and_parts, animals, parts=OTHER),
        f"validation_step: {SEVERAL}",
        PARTS,
    ),
    "heads apart, of which none is watched": (
        Case(lambda m, b: {"val_sex_loss": of_sex(m, b), "val_species_loss": of_species(m, b)}, animals, parts=OTHER),
        "validation_step: it logs several losses, and no checkpoint watches one of them "
        "(val_sex_loss of {1}; val_species_loss of {0})".format(*HEADS),
        PARTS,
    ),
    "heads by columns": (
        Case(
            lambda m, b: ce(m(b[0])[:, :3], b[1]) + F.mse_loss(m(b[0])[:, 3], b[2]),
            lambda n: (torch.randn(n, 6), torch.randint(3, (n,)), torch.randn(n)),
        ),
        "validation_step: several losses compare different outputs and targets (cross_entropy of a part of forward "
        "[N, 3] and batch[1] [N]; mse_loss of a part of forward [N] and batch[2] [N])",
        ("batch[0] [7, 6] float32", "batch[1] [7] int64", "batch[2] [7] float32"),
    ),
    "heads of one label": (
        Case(
            lambda m, b: ce(m(b[0])[0], b[1] % 2) + ce(m(b[0])[1], b[1] // 2),
            classes,
            kind=Halves,
        ),
        "validation_step and training_step: several losses compare different outputs and targets (cross_entropy of "
        "forward[0] [N, 2] and remainder of batch[1] [N]; cross_entropy of forward[1] [N, 2] and "
        "floordiv of batch[1] [N])",
        ("batch[0] [7, 6] float32", "batch[1] [7] int64"),
    ),
    "a list with an entry a sample": (
        Case(
            lambda m, b: ce(m(torch.stack([x for x, _ in b])), torch.stack([y for _, y in b])),
            lambda n: list(zip(*classes(n), strict=True)),
        ),
        "validation_step: a batch is a list with an entry a sample; put samples together in the collate_fn of the "
        "loader",
        (*(f"batch[{i}][{j}] [{'6' * (1 - j)}] {('float32', 'int64')[j]}" for i in range(6) for j in (0, 1)), "2 more"),
    ),
    "triplets": (
        Case(lambda m, b: F.triplet_margin_loss(*map(m, b)), lambda n: [torch.randn(n, 6) for _ in range(3)]),
        "validation_step: no operation compares an output of the model with a part of the batch",
        tuple(f"batch[{i}] [7, 6] float32" for i in range(3)),
    ),
    "samples with each other": (
        Case(alike, classes),
        "validation_step: it compares the samples of a batch with each other",
        ("batch[0] [7, 6] float32", "batch[1] [7] int64"),
    ),
    "sample after sample": (
        Case(lambda m, b: sum(ce(m(b[0])[i : i + 1], b[1][i : i + 1]) for i in range(len(b[1]))), classes),
        "validation_step: it compares one sample after the other in a loop "
        "(cross_entropy of a part of forward [1, 4] and a part of batch[1] [1])",
        ("batch[0] [7, 6] float32", "batch[1] [7] int64"),
    ),
    "shares of classes": (
        Case(lambda m, b: ce(m(b[0]), b[1]), lambda n: (torch.randn(n, 6), torch.rand(n, 4).softmax(1))),
        "validation_step compares forward [N, 4] with batch[1] [N, 4]; "
        "its targets are shares of classes, and metrics need one class each",
        ("batch[0] [7, 6] float32", "batch[1] [7, 4] float32"),
    ),
    "several labels": (
        Case(
            lambda m, b: F.binary_cross_entropy_with_logits(m(b[0]), b[1].float()),
            lambda n: (torch.randn(n, 6), torch.randint(2, (n, 4))),
        ),
        "validation_step compares forward [N, 4] with batch[1] [N, 4]; "
        "its targets are several classes a sample, as in a multilabel classification",
        ("batch[0] [7, 6] float32", "batch[1] [7, 4] int64"),
    ),
    "a model that is given the targets": (
        Case(lambda m, b: ce(m(b), b["y"]), lambda n: dict(zip("xy", classes(n), strict=True)), kind=GivesTargets),
        'validation_step compares forward [N, 4] with batch["y"] [N]; the model is given the targets too',
        ("batch['x'] [7, 6] float32", "batch['y'] [7] int64"),
    ),
    "noise as the target": (
        Case(noise, lambda n: [torch.randn(n, 6)], task="regression", parts={"net": layers(6, 6)}),
        "validation_step compares forward [N, 6] with randn_like of batch[0] [N, 6]; "
        "asked once more, or for another batch, the model does not answer as it did in the step",
        ("batch[0] [7, 6] float32",),
    ),
    "a loss outside of torch": (
        Case(
            lambda m, b: torch.tensor(float(((m(b[0]).numpy() - b[1].numpy()) ** 2).mean())),
            columns,
            task="regression",
            parts={"net": layers(outputs=1)},
        ),
        "validation_step: it logs and returns no loss that is made of the model's outputs",
        ("batch[0] [7, 6] float32", "batch[1] [7, 1] float32"),
    ),
    "a step that raises": (
        Case(lambda m, b: m.net(torch.zeros(3, 99)), classes),
        "validation_step: it raises RuntimeError: mat1 and mat2 shapes cannot be multiplied (3x99 and 6x8)",
        ("batch[0] [7, 6] float32", "batch[1] [7] int64"),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_lacking_is_said_with_what_the_batch_holds(name):
    case, told, candidates = CASES[name]
    seen = observed(case.model(), case.make, case.task)
    assert seen.lacking["split"] == told
    assert seen.candidates == candidates
    assert seen.loss == ()


def test_of_heads_that_are_logged_apart_the_watched_one_is_measured():
    case = Case(lambda m, b: {"val_sex_loss": of_sex(m, b), "val_species_loss": of_species(m, b)}, animals, parts=OTHER)
    seen = observed(case.model(), case.make, monitored=("val_species_loss",))
    assert (seen.lacking, seen.logged) == ({}, {"loss": "val_species_loss"})
    assert seen.split == ('return batch["x"], batch["species"]',)


def test_a_loss_that_is_called_the_whole_one_is_preferred_to_those_that_nothing_watches():
    case = Case(lambda m, b: {"val_sex_loss": of_sex(m, b), "val/loss": of_species(m, b)}, animals, parts=OTHER)
    seen = observed(case.model(), case.make, monitored=("val_acc",))
    assert seen.logged == {"loss": "val/loss"}


def test_where_metrics_alone_are_logged_the_loss_is_left_open():
    case = Case(lambda m, b: {"val_acc": (m(b[0]).argmax(1) == b[1]).float().mean()}, classes)
    seen = observed(case.model(), case.make)
    assert (seen.lacking, seen.split, seen.outputs) == ({}, (), ())
    assert (seen.loss, seen.loss_reason, seen.logged) == ((), "no loss was seen", {})
    assert seen.used == "validation_step compares forward [N, 4] with batch[1] [N]"


def test_a_model_without_a_step_of_its_own_is_told():
    seen = observed(pl.LightningModule(), classes)
    assert seen.lacking["split"] == "the module has no validation_step"
