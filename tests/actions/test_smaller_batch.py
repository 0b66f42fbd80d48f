"""Half the batch, at the place that the training loader's size comes from."""

import pytest

from progtrain.records import Call, LoaderSettings, Proposal, Refusal

SCRIPT = """\
from torch.utils.data import DataLoader

BATCH = 64
train_loader = DataLoader(train_set, batch_size=BATCH, shuffle=True)
val_loader = DataLoader(val_set, batch_size=512)
"""
TABLE = {
    "a constant": (SCRIPT, SCRIPT.replace("= 64", "= 32")),
    "a literal": (SCRIPT.replace("=BATCH", "=64"), SCRIPT.replace("=BATCH", "=32")),
    "a position": (SCRIPT.replace("batch_size=BATCH", "64"), SCRIPT.replace("batch_size=BATCH", "32")),
    "a data module": (
        """\
        import lightning.pytorch as pl
        from torch.utils.data import DataLoader

        class Data(pl.LightningDataModule):
            def __init__(self, batch_size=64):
                self.batch_size = batch_size

            def train_dataloader(self):
                return DataLoader(self.a, self.batch_size)

            def val_dataloader(self):
                return DataLoader(self.b, self.batch_size)
        """,
        """\
        import lightning.pytorch as pl
        from torch.utils.data import DataLoader

        class Data(pl.LightningDataModule):
            def __init__(self, batch_size=32):
                self.batch_size = batch_size

            def train_dataloader(self):
                return DataLoader(self.a, self.batch_size)

            def val_dataloader(self):
                return DataLoader(self.b, self.batch_size)
        """,
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_becomes(becomes, name):
    becomes("smaller_batch", *TABLE[name], value=32)


def test_proposes_half(proposed):
    proposal = proposed("smaller_batch", SCRIPT, "few-steps")

    assert isinstance(proposal, Proposal)
    assert proposal.parameters == {"value": 32}
    assert proposal.change == "batch_size from 64 to 32"


def _loader(batch_size: int | None) -> LoaderSettings:
    return LoaderSettings(
        size=3200, batch_size=batch_size, shuffle=True, sampler="RandomSampler", workers=0, fingerprint=None
    )


@pytest.mark.parametrize(
    ("source", "fields", "locks", "reason"),
    [
        (SCRIPT, {}, {"batch_size": 64}, "the rules hold batch_size"),
        (SCRIPT.replace("64", "128"), {}, {}, "another place decides"),
        (SCRIPT.replace("64", "8"), {"train": _loader(8)}, {}, "not halved below 8"),
        (
            SCRIPT.replace("64", "16"),
            {"train": _loader(16), "calls": (Call(function="batch_norm", arguments={}),)},
            {},
            "not halved below 16",
        ),
        (SCRIPT.replace("batch_size=BATCH", "batch_sampler=s"), {"train": _loader(None)}, {}, "no fixed batch size"),
        (SCRIPT + "LR = BATCH / 512\nimport torch\ntorch.optim.SGD(p, lr=LR)\n", {}, {}, "also sets lr"),
    ],
)
def test_refuses(proposed, source, fields, locks, reason):
    refusal = proposed("smaller_batch", source, "few-steps", locks=locks, **fields)

    assert isinstance(refusal, Refusal)
    assert reason in refusal.reason
