"""Tenfold weight decay, up to where it stops to make sense."""

import pytest

from progtrain.records import OptimizerSettings, Proposal, Refusal

SCRIPT = """\
import torch

WD = 1e-2
optimizer = torch.optim.AdamW(params, lr=0.01, weight_decay=WD)
"""
TABLE = {
    "a constant": (SCRIPT, SCRIPT.replace("1e-2", "0.1")),
    "a literal": (SCRIPT.replace("=WD", "=.01"), SCRIPT.replace("=WD", "=0.1")),
    "the optimizer's default": (
        SCRIPT.replace(", weight_decay=WD", ""),
        SCRIPT.replace("weight_decay=WD", "weight_decay=0.1"),
    ),
}


GROUPS = """\
from torch import optim

optimizer = optim.AdamW([{"params": a, "weight_decay": 0.01}, {"params": b, "weight_decay": 0.0}], lr=0.01)
"""
TABLE["behind no_decay_on_norms"] = (GROUPS, GROUPS.replace("0.01}", "0.1}"))


@pytest.mark.parametrize("name", TABLE)
def test_becomes(becomes, name):
    becomes("raise_weight_decay", *TABLE[name], value=0.1)


def _live(kind: str, decay: float) -> tuple[OptimizerSettings, ...]:
    return (OptimizerSettings(type=kind, groups=({"lr": 0.01, "weight_decay": decay},)),)


@pytest.mark.parametrize(
    ("kind", "before", "after"), [("AdamW", 0.01, 0.1), ("AdamW", 0.1, 0.5), ("SGD", 1e-4, 1e-3), ("SGD", 5e-3, 1e-2)]
)
def test_proposes_tenfold_up_to_a_largest(proposed, kind, before, after):
    source = SCRIPT.replace("1e-2", str(before)).replace("AdamW", kind)

    proposal = proposed("raise_weight_decay", source, "overfitting", optimizers=_live(kind, before))

    assert isinstance(proposal, Proposal)
    assert proposal.parameters == {"value": after}


@pytest.mark.parametrize(
    ("live", "locks", "reason"),
    [
        (_live("AdamW", 0.01), {"weight_decay": 0.01}, "the rules hold weight_decay"),
        (_live("AdamW", 0.3), {}, "another place decides"),
        ((*_live("AdamW", 0.01), *_live("AdamW", 0.01)), {}, "Expected one optimizer"),
    ],
)
def test_refuses(proposed, live, locks, reason):
    refusal = proposed("raise_weight_decay", SCRIPT, "overfitting", locks=locks, optimizers=live)

    assert isinstance(refusal, Refusal)
    assert reason in refusal.reason


@pytest.mark.parametrize(("decay", "reason"), [(0.5, "as far as it goes"), (0, "no weight decay")])
def test_refuses_out_of_range(proposed, decay, reason):
    source = SCRIPT.replace("1e-2", str(decay))

    refusal = proposed("raise_weight_decay", source, "overfitting", optimizers=_live("AdamW", decay))

    assert isinstance(refusal, Refusal)
    assert reason in refusal.reason
