"""Dead units are counted behind every ReLU, however it is called."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from progtrain.evaluation.asking.activations import dead_shares
from progtrain.evaluation.yardstick.batches import Batch
from progtrain.records import Call

CPU = torch.device("cpu")
RECTIFIED = (Call(function="relu", arguments={}),)


class Functional(nn.Module):
    """Of 4 units behind the first ReLU 3 are dead, behind the second none."""

    def forward(self, x):
        x = F.relu(x + torch.tensor([9.0, -9.0, -9.0, -9.0]))
        return torch.relu(x + 1)


class Channels(nn.Module):
    def __init__(self):
        super().__init__()
        self.act = nn.ReLU(inplace=True)

    def forward(self, x):
        return self.act(x[:, None, :].expand(-1, 4, -1) + torch.tensor([9.0, 9.0, 9.0, -9.0])[:, None])


class Sequence(nn.Module):
    """Features come last."""

    def forward(self, x):
        return (x[:, None, :].expand(-1, 7, -1) + torch.tensor([9.0, -9.0, -9.0, 9.0])).relu()


class Fails(nn.Module):
    def forward(self, x):
        raise RuntimeError


def batches(sizes=(16, 16, 5)):
    random = torch.Generator().manual_seed(0)
    return [Batch(torch.rand(size, 4, generator=random), torch.zeros(size)) for size in sizes]


@pytest.mark.parametrize(
    ("model", "expected"), [(Functional(), (0.75, 0.0)), (Channels(), (0.25,)), (Sequence(), (0.5,)), (Fails(), ())]
)
def test_the_share_of_dead_units_behind_every_relu(model, expected):
    assert dead_shares(model.eval(), batches(), CPU, RECTIFIED) == pytest.approx(expected)


def test_one_sample_is_enough_to_show_a_unit_alive():
    model = nn.Sequential(nn.Linear(4, 2), nn.ReLU())
    nn.init.constant_(model[0].weight, -1.0)
    nn.init.constant_(model[0].bias, 0.0)
    first, *others = batches()
    first.inputs[3] = -1.0
    assert dead_shares(model, [first, *others], CPU, RECTIFIED) == (0.0,)
    assert dead_shares(model, others, CPU, RECTIFIED) == (1.0,)


def test_only_the_first_samples_are_asked():
    read = []

    def told():
        for batch in batches((300, 300, 300)):
            read.append(len(batch))
            yield batch

    dead_shares(Functional(), told(), CPU, RECTIFIED)
    assert read == [300, 300]


def test_a_model_without_a_relu_is_not_asked():
    assert dead_shares(Fails(), iter(()), CPU, ()) == ()
