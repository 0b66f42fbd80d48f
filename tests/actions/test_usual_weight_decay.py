"""A weight decay that leaves nothing standing becomes the optimizer's usual one."""

import pytest

from progtrain.records import OptimizerSettings, Proposal, Refusal

SCRIPT = """\
from torch import optim

def configure_optimizers(self):
    return optim.AdamW(self.parameters(), lr=0.01, weight_decay=100.0)  # typed in haste
"""
TABLE = {
    "named": (SCRIPT, SCRIPT.replace("100.0", "0.01"), 0.01),
    "a constant": (
        "WD = 5  # much\n" + SCRIPT.replace("=100.0", "=WD"),
        "WD = 0.01  # much\n" + SCRIPT.replace("=100.0", "=WD"),
        0.01,
    ),
    "SGD": (SCRIPT.replace("AdamW", "SGD"), SCRIPT.replace("AdamW", "SGD").replace("100.0", "0.0001"), 1e-4),
}


@pytest.mark.parametrize("name", TABLE)
def test_becomes(becomes, name):
    before, after, value = TABLE[name]
    becomes("usual_weight_decay", before, after, value=value)


def test_cannot(cannot):
    cannot("usual_weight_decay", SCRIPT.replace("=100.0", "=load()"), "load", value=0.01)


def live(kind: str, decay: float) -> tuple[OptimizerSettings, ...]:
    return (OptimizerSettings(type=kind, groups=({"lr": 0.01, "weight_decay": decay},)),)


@pytest.mark.parametrize(("kind", "value"), [("AdamW", 1e-2), ("SGD", 1e-4)])
def test_proposes_by_the_optimizer(proposed, kind, value):
    proposal = proposed(
        "usual_weight_decay", SCRIPT.replace("AdamW", kind), "excessive-decay", optimizers=live(kind, 100.0)
    )

    assert isinstance(proposal, Proposal)
    assert (proposal.parameters, proposal.touches) == ({"value": value}, ("weight_decay",))


@pytest.mark.parametrize(
    ("decay", "locks", "reason"),
    [
        (0.01, {}, "no more than AdamW's usual 0.01"),
        (0.3, {}, "another place decides"),
        (100.0, {"weight_decay": 100.0}, "the rules hold weight_decay"),
    ],
)
def test_refuses(proposed, decay, locks, reason):
    source = SCRIPT.replace("100.0", "0.01") if decay == 0.01 else SCRIPT
    refusal = proposed("usual_weight_decay", source, "excessive-decay", locks=locks, optimizers=live("AdamW", decay))

    assert isinstance(refusal, Refusal)
    assert reason in refusal.reason
