import pytest
import torch
from torch.utils.data import DataLoader, IterableDataset, SubsetRandomSampler, TensorDataset

from progtrain.errors import EvaluationError
from progtrain.evaluation.batches import ValidationSet, split

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
    batch = split((X, X + 1, Y))
    assert isinstance(batch.inputs, tuple)
    assert torch.equal(batch.targets, Y)
    assert split([X, Y]).inputs is X


def test_mappings_name_the_targets():
    batch = split({"x": X, "labels": Y, "idx": Y})
    assert list(batch.inputs) == ["x"]
    assert torch.equal(batch.targets, Y)


@pytest.mark.parametrize("batch", [X, (X,), {"x": X}, (X, "text")])
def test_other_batches_are_refused(batch):
    with pytest.raises(EvaluationError, match="Expected validation batches of"):
        split(batch)
