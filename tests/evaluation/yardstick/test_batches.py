from dataclasses import dataclass
from typing import NamedTuple

import pytest
import torch
from torch.utils.data import DataLoader, IterableDataset, SubsetRandomSampler, TensorDataset

from progtrain.errors import EvaluationError
from progtrain.evaluation.yardstick.batches import ValidationSet, by_convention, without

X = torch.arange(20.0).reshape(10, 2)
Y = torch.arange(10)


class Stream(IterableDataset):
    def __iter__(self):
        return iter(zip(X, Y, strict=True))


class Whole(IterableDataset):
    def __iter__(self):
        yield {"features": X[:6], "label": Y[:6], "sample_id": Y[:6]}
        yield {"features": X[6:], "label": Y[6:], "sample_id": Y[6:]}


LOADERS = {
    "plain": DataLoader(TensorDataset(X, Y), batch_size=3),
    "shuffled, last batch dropped": DataLoader(TensorDataset(X, Y), batch_size=3, shuffle=True, drop_last=True),
    "batch sampler": DataLoader(TensorDataset(X, Y), batch_sampler=[[3, 1], [2]]),
    "stream": DataLoader(Stream(), batch_size=4),
    "batches from the data set": DataLoader(Whole(), batch_size=None),
}


@pytest.mark.parametrize("loader", LOADERS.values(), ids=LOADERS)
def test_every_sample_once_and_in_order(loader):
    data = ValidationSet(loader)
    assert torch.cat([batch.targets for batch in data]).tolist() == list(range(10))
    rows = data.rows([0, 4, 9])
    assert [row.targets.tolist() for row in rows] == [[0], [4], [9]]
    inputs = [row.inputs["features"] if isinstance(row.inputs, dict) else row.inputs for row in rows]
    assert torch.equal(torch.cat(inputs), X[[0, 4, 9]])


def test_a_sampler_of_a_part_is_that_part():
    data = ValidationSet(DataLoader(TensorDataset(X, Y), batch_size=2, sampler=SubsetRandomSampler([7, 2, 5])))
    assert torch.cat([batch.targets for batch in data]).tolist() == [2, 5, 7]
    assert data.rows([1])[0].targets.tolist() == [5]


def test_tuples_end_with_the_targets():
    inputs, targets = by_convention((X, X + 1, Y))
    assert isinstance(inputs, tuple)
    assert torch.equal(targets, Y)
    assert by_convention([X, Y])[0] is X


class Pair(NamedTuple):
    x: torch.Tensor
    labels: torch.Tensor
    idx: torch.Tensor


@dataclass
class Sample:
    x: torch.Tensor
    labels: torch.Tensor
    idx: torch.Tensor


@pytest.mark.parametrize("kind", [dict, Pair, Sample])
def test_mappings_and_dataclasses_name_the_targets(kind):
    inputs, targets = by_convention(kind(x=X, labels=Y, idx=Y))
    assert list(inputs) == ["x"]
    assert torch.equal(targets, Y)


def test_what_the_loss_ignores_is_marked():
    assert without(torch.tensor([[3, 0, 0]]), 0).tolist() == [[3, -100, -100]]


def test_a_line_of_the_users_own_takes_batches_apart():
    loader = DataLoader(TensorDataset(Y, X), batch_size=4)
    data = ValidationSet(loader, lambda batch: (batch[1], batch[0]))
    assert torch.cat([batch.targets for batch in data]).tolist() == list(range(10))


def test_texts_are_targets_too():
    words = [f"word {index}" for index in range(10)]
    data = ValidationSet(DataLoader(list(zip(X, words, strict=True)), batch_size=4))
    assert [text for batch in data for text in batch.targets.texts] == words
    assert [row.targets.texts for row in data.rows([2, 9])] == [("word 2",), ("word 9",)]


@pytest.mark.parametrize("batch", [X, (X,), {"x": X}, (X, "text")])
def test_other_batches_are_refused(batch):
    with pytest.raises(EvaluationError, match="Expected validation batches of"):
        by_convention(batch)
