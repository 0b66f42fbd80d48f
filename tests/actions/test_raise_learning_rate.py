"""The rate is tripled wherever it is set, and what is written in terms of it follows."""

import pytest

from progtrain.actions import Situation, action_named
from progtrain.records import Finding, OptimizerSettings, Proposal, Refusal, SchedulerSettings
from progtrain.script.reading.anatomy import read_anatomy

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
        ("import torch\nfor kind in kinds:\n    kind(params)\n", "Expected one call that takes lr"),
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


def _adamw(lr: float) -> tuple[OptimizerSettings, ...]:
    return (OptimizerSettings(type="AdamW", groups=({"lr": lr},)),)


COMPUTED_PEAK = SCRIPT + "torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=5 * LR)\n"
TWOFOLD = (SchedulerSettings(type="OneCycleLR", arguments={"max_lr": 0.02}),)
FIVEFOLD = (SchedulerSettings(type="OneCycleLR", arguments={"max_lr": 0.05}),)


@pytest.mark.parametrize(
    ("source", "fields", "locks", "reason"),
    [
        (SCRIPT, {}, {"lr": 0.01}, "the rules hold lr"),
        (SCRIPT, {"optimizers": _sgd(0.5)}, {}, "another place decides"),
        (SCRIPT, {"automatic_optimization": False}, {}, "by hand"),
        (SCRIPT.replace("0.01", "2.0"), {"optimizers": _sgd(2.0)}, {}, "out of the range"),
        (SCRIPT.replace("0.01", "0.03"), {"optimizers": _adamw(0.03)}, {}, "0.09 is out of the range"),
        (COMPUTED_PEAK, {"optimizers": _adamw(0.01), "schedulers": FIVEFOLD}, {}, "0.15 is out of the range"),
        (SCRIPT.replace("lr=LR", "lr=LR, momentum=LR"), {}, {}, "also sets momentum"),
        (SCRIPT + "torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=load())\n", {}, {}, "load"),
    ],
)
def test_refuses(proposed, source, fields, locks, reason):
    refusal = proposed("raise_learning_rate", source, "slow", locks=locks, **fields)

    assert isinstance(refusal, Refusal)
    assert reason in refusal.reason


PEAK = SCRIPT + "torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.1)\n"
CYCLE = (SchedulerSettings(type="OneCycleLR", arguments={"max_lr": 0.1}),)


@pytest.mark.parametrize(
    ("source", "fields", "suggested", "new"),
    [
        (SCRIPT, {}, 0.05, [0.05]),
        (SCRIPT, {}, 0.0126, [0.0126]),
        (SCRIPT, {}, 4.0, [0.1]),
        (SCRIPT.replace("0.01", "2.0"), {"optimizers": _sgd(2.0)}, 9.0, [3.0]),
        (PEAK, {"schedulers": CYCLE}, 0.3, [0.03, 0.3]),
        (COMPUTED_PEAK.replace("5", "2"), {"optimizers": _adamw(0.01), "schedulers": TWOFOLD}, 0.2, [0.03]),
    ],
    ids=[
        "as it is",
        "hardly beyond near",
        "tenfold at most",
        "within its bounds",
        "the peak is present",
        "the peak, too",
    ],
)
def test_takes_what_a_range_test_suggests(proposed, becomes, source, fields, suggested, new):
    proposal = proposed("raise_learning_rate", source, "slow", suggested_rate=suggested, **fields)

    assert isinstance(proposal, Proposal)
    assert proposal.parameters["new"] == new
    assert f"(a range test suggests {suggested:g})" in proposal.change
    # Replayed from its parameters, without any suggestion.
    after = source
    for before, behind in zip(proposal.parameters["old"], new, strict=True):
        after = after.replace(f"={before:g}", f"={behind:g}").replace(f"= {before!r}", f"= {behind!r}")
    becomes("raise_learning_rate", source, after, **proposal.parameters)


@pytest.mark.parametrize(
    ("source", "fields", "suggested", "reason"),
    [
        (SCRIPT, {}, 0.001, "suggests a rate of 0.001, below the present 0.01"),
        (SCRIPT, {}, 0.012, "suggests a rate of 0.012, within 25% of the present 0.01"),
        (SCRIPT, {}, 0.0076, "within 25% of the present"),
        (PEAK, {"schedulers": CYCLE}, 0.05, "below the present 0.1"),
        (SCRIPT.replace("0.01", "2.9"), {"optimizers": _sgd(2.9)}, 9.0, "out of the range 0 to 3"),
        (SCRIPT.replace("0.01", "4.0"), {"optimizers": _sgd(4.0)}, 9.0, "out of the range 0 to 3"),
    ],
)
def test_refuses_what_a_range_test_speaks_against(proposed, source, fields, suggested, reason):
    refusal = proposed("raise_learning_rate", source, "slow", suggested_rate=suggested, **fields)

    assert isinstance(refusal, Refusal)
    assert reason in refusal.reason


def test_a_peak_is_held_against_the_live_schedule(proposed):
    source = SCRIPT + "torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.1)\n"
    live = SchedulerSettings(type="OneCycleLR", arguments={"max_lr": 0.1})

    assert isinstance(proposed("raise_learning_rate", source, "slow", schedulers=(live,)), Proposal)
    assert isinstance(proposed("raise_learning_rate", source, "slow"), Refusal)


@pytest.mark.parametrize(
    ("finding", "left", "new"),
    [("slow", 0.87, 0.1), ("slow", 0.3, 0.03), ("underfitting", 0.9, 0.03), ("tiny-rate", 0.1, 0.1)],
)
def test_goes_further_where_the_training_hardly_began(snapshot_with, finding, left, new):
    findings = (Finding(name=finding, numbers={"share_left": left}, severity=0.8, message=""),)
    situation = Situation(read_anatomy(SCRIPT), snapshot_with(), findings, (), {})
    proposal = action_named("raise_learning_rate").propose(situation)

    assert isinstance(proposal, Proposal)
    assert proposal.parameters["new"] == [new]


def test_a_rate_that_is_left_to_the_default_is_written_in() -> None:
    source = "import torch\noptimizer = torch.optim.Adam(model.parameters())\n"
    after = action_named("raise_learning_rate").apply(source, {"old": [0.001], "new": [0.003]})
    assert after == source.replace("parameters()", "parameters(), lr=0.003")
