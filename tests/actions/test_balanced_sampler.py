"""The training loader's shuffling gives way to a sampler that draws every class equally often."""

import pytest

from progtrain.records import Call, LoaderSettings, Proposal, Refusal

MODEL = """\
class Net:
    def training_step(self, batch, index):
        return loss(batch)
"""
FUNCTION = """\
def balanced_sampler(dataset):
    \"\"\"Draws with replacement, every class equally often.\"\"\"
    targets = torch.tensor([int(target) for _, target in dataset])
    counts = torch.bincount(targets).clamp(min=1)
    return WeightedRandomSampler((1 / counts[targets]).tolist(), len(targets))


"""
IMPORTS = "import torch\nfrom torch.utils.data import DataLoader\n"
BELOW = "train_loader = DataLoader(train_set, batch_size=8, shuffle=True, num_workers=2)\nval_loader = DataLoader(b)\n"
WITHIN = """\
class Data:
    def train_dataloader(self):
        return DataLoader(
            self.train_set,  # the larger one
            shuffle=True,
        )
"""


def script(before: str, after: str) -> str:
    return f"{IMPORTS}\n\n{before}{MODEL}\n\n{after}"


def balanced(before: str, after: str, dataset: str) -> str:
    whole = f"{IMPORTS}from torch.utils.data import WeightedRandomSampler\n\n\n{before}{FUNCTION}{MODEL}\n\n{after}"
    whole = whole.replace("WeightedRandomSampler((1", "torch.utils.data.WeightedRandomSampler((1")
    whole = whole.replace("from torch.utils.data import WeightedRandomSampler\n", "")
    return whole.replace("shuffle=True", f"sampler=balanced_sampler({dataset})")


TABLE = {
    "a name": (script("", BELOW), balanced("", BELOW, "train_set")),
    "above, in a method": (script(WITHIN, ""), balanced(WITHIN, "", "self.train_set")),
    "below, in a method": (script("", WITHIN), balanced("", WITHIN, "self.train_set")),
    "by keyword": (
        script("", BELOW.replace("(train_set", "(dataset=train_set")),
        balanced("", BELOW.replace("(train_set", "(dataset=train_set"), "train_set"),
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_becomes(becomes, name):
    becomes("balanced_sampler", *TABLE[name])


@pytest.mark.parametrize(
    ("source", "match"),
    [
        (script(BELOW, ""), "below the LightningModule"),
        (script("", BELOW.replace(", shuffle=True", "")), "expected DataLoader\\(name, shuffle=True"),
        (script("", BELOW.replace("(train_set", "(load('train')")), "expected DataLoader\\(name, shuffle=True"),
        (script("", ""), "found none"),
    ],
)
def test_cannot(cannot, source, match):
    cannot("balanced_sampler", source, match)


def test_proposes(proposed, table):
    proposal = proposed("balanced_sampler", script("", BELOW), "imbalanced", **table)

    assert isinstance(proposal, Proposal)
    assert proposal.touches == ("sampler", "shuffle")


IN_ORDER = LoaderSettings(
    size=64, batch_size=8, shuffle=False, sampler="SequentialSampler", workers=0, fingerprint=None
)
WEIGHTED = Call(function="cross_entropy", arguments={}, shapes=((64, 10), (64,), (10,)))


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"calls": (WEIGHTED,)}, "weights the classes already"),
        ({"calls": ()}, "not one cross entropy"),
        ({"train": IN_ORDER}, "does not shuffle by itself"),
        ({"batch": None}, "not a pair"),
        ({"locks": {"sampler": "none"}}, "the rules hold sampler"),
    ],
)
def test_refuses(proposed, table, fields, reason):
    refusal = proposed("balanced_sampler", script("", BELOW), "imbalanced", **{**table, **fields})

    assert isinstance(refusal, Refusal)
    assert reason in refusal.reason
