"""The rate is tripled wherever it is set, and what is written in terms of it follows."""

import pytest

from progtrain.records import OptimizerSettings, Proposal, Refusal, SchedulerSettings

SCRIPT = """\
import torch

LR = 0.01  # found by hand
optimizer = torch.optim.SGD(model.parameters(), lr=LR)
"""
TABLE = {
    "a constant": (SCRIPT, SCRIPT.replace("0.01", "0.03"), [0.01], [0.03]),
    "an option of the command line": (
        """\
        import argparse
        from torch import optim
        p = argparse.ArgumentParser()
        p.add_argument('--lr', type=float, default=1e-3)
        args = p.parse_args()
        optim.Adam(params, lr=args.lr)
        """,
        """\
        import argparse
        from torch import optim
        p = argparse.ArgumentParser()
        p.add_argument('--lr', type=float, default=0.003)
        args = p.parse_args()
        optim.Adam(params, lr=args.lr)
        """,
        [0.001],
        [0.003],
    ),
    "a peak of its own goes along": (
        """\
        from torch.optim import SGD, lr_scheduler
        optimizer = SGD(params, lr=0.01)
        lr_scheduler.OneCycleLR(optimizer, max_lr=0.1, total_steps=9)
        """,
        """\
        from torch.optim import SGD, lr_scheduler
        optimizer = SGD(params, lr=0.03)
        lr_scheduler.OneCycleLR(optimizer, max_lr=0.3, total_steps=9)
        """,
        [0.01, 0.1],
        [0.03, 0.3],
    ),
    "a peak written by the rate follows": (
        SCRIPT + "torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=10 * LR)\n",
        SCRIPT.replace("0.01", "0.03") + "torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=10 * LR)\n",
        [0.01],
        [0.03],
    ),
    "parameter groups": (
        'import torch\ntorch.optim.SGD([{"params": a, "lr": 0.1}, {"params": b}], lr=0.01)\n',
        'import torch\ntorch.optim.SGD([{"params": a, "lr": 0.3}, {"params": b}], lr=0.03)\n',
        [0.1, 0.01],
        [0.3, 0.03],
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_becomes(becomes, name):
    before, after, old, new = TABLE[name]
    becomes("raise_learning_rate", before, after, old=old, new=new)


@pytest.mark.parametrize(
    ("source", "match"),
    [
        (SCRIPT.replace("0.01", "0.02"), "Expected learning rates"),
        (SCRIPT.replace("lr=LR", "lr=load()"), "load"),
        ("import torch\ntorch.optim.Adam(params)\n", "default"),
    ],
)
def test_cannot(cannot, source, match):
    cannot("raise_learning_rate", source, match, old=[0.01], new=[0.03])


def test_proposes_three_times_the_rate(proposed):
    proposal = proposed("raise_learning_rate", SCRIPT, "slow")

    assert isinstance(proposal, Proposal)
    assert proposal.parameters == {"old": [0.01], "new": [0.03]}
    assert proposal.touches == ("lr",)
    assert proposal.where == "line 3: LR = 0.01  # found by hand"


def _sgd(lr: float) -> tuple[OptimizerSettings, ...]:
    return (OptimizerSettings(type="SGD", groups=({"lr": lr},)),)


@pytest.mark.parametrize(
    ("source", "fields", "locks", "reason"),
    [
        (SCRIPT, {}, {"lr": 0.01}, "the rules hold lr"),
        (SCRIPT, {"optimizers": _sgd(0.5)}, {}, "dead"),
        (SCRIPT, {"automatic_optimization": False}, {}, "by hand"),
        (SCRIPT.replace("0.01", "2.0"), {"optimizers": _sgd(2.0)}, {}, "out of the range"),
        (SCRIPT.replace("lr=LR", "lr=LR, momentum=LR"), {}, {}, "also sets momentum"),
        (SCRIPT + "torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=load())\n", {}, {}, "load"),
    ],
)
def test_refuses(proposed, source, fields, locks, reason):
    refusal = proposed("raise_learning_rate", source, "slow", locks=locks, **fields)

    assert isinstance(refusal, Refusal)
    assert reason in refusal.reason


def test_a_peak_is_held_against_the_live_schedule(proposed):
    source = SCRIPT + "torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.1)\n"
    live = SchedulerSettings(type="OneCycleLR", arguments={"max_lr": 0.1})

    assert isinstance(proposed("raise_learning_rate", source, "slow", schedulers=(live,)), Proposal)
    assert isinstance(proposed("raise_learning_rate", source, "slow"), Refusal)
