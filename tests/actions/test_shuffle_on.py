"""A training loader that yields its samples in one order comes to shuffle them."""

import pytest

from progtrain.records import LoaderSettings, Proposal, Refusal

SCRIPT = """\
from torch.utils.data import DataLoader

train_loader = DataLoader(train_set, batch_size=64)  # in order
val_loader = DataLoader(val_set, batch_size=512)
"""
DATA = """\
from torch.utils.data import DataLoader

class Data:
    def train_dataloader(self):
        return DataLoader(
            self.a,
            batch_size=64,
        )

    def val_dataloader(self):
        return DataLoader(self.b)
"""
TABLE = {
    "not named": (SCRIPT, SCRIPT.replace("64)", "64, shuffle=True)")),
    "named": (SCRIPT.replace("64)", "64, shuffle=False)"), SCRIPT.replace("64)", "64, shuffle=True)")),
    "by position": (SCRIPT.replace("batch_size=64", "64, False"), SCRIPT.replace("batch_size=64", "64, True")),
    "a constant": (
        "SHUFFLE = False\n" + SCRIPT.replace("64)", "64, shuffle=SHUFFLE)"),
        "SHUFFLE = True\n" + SCRIPT.replace("64)", "64, shuffle=SHUFFLE)"),
    ),
    "a data module": (DATA, DATA.replace("64,\n", "64,\n            shuffle=True,\n")),
}


@pytest.mark.parametrize("name", TABLE)
def test_becomes(becomes, name):
    becomes("shuffle_on", *TABLE[name], value=True)


@pytest.mark.parametrize(
    ("source", "match"),
    [
        ("import torch\n", "Expected one call that takes shuffle, got 0"),
        (SCRIPT.replace("64)", "64, **options)"), "options is not defined"),
        (SCRIPT.replace("64)", "64, shuffle=True)"), "Expected a change"),
    ],
)
def test_cannot(cannot, source, match):
    cannot("shuffle_on", source, match, value=True)


def _loader(sampler: str) -> LoaderSettings:
    return LoaderSettings(size=3200, batch_size=64, shuffle=False, sampler=sampler, workers=0, fingerprint=None)


def test_proposes(proposed):
    proposal = proposed("shuffle_on", SCRIPT, "unshuffled", train=_loader("SequentialSampler"))

    assert isinstance(proposal, Proposal)
    assert proposal.touches == ("shuffle",)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({}, "comes from a RandomSampler"),
        ({"train": _loader("WeightedRandomSampler")}, "comes from a WeightedRandomSampler"),
        ({"train": None}, "is not known"),
        ({"train": _loader("SequentialSampler"), "locks": {"shuffle": "False"}}, "the rules hold shuffle"),
    ],
)
def test_refuses(proposed, fields, reason):
    refusal = proposed("shuffle_on", SCRIPT, "unshuffled", **fields)

    assert isinstance(refusal, Refusal)
    assert reason in refusal.reason
