"""A decay that is measured out over the epochs."""

import pytest

from progtrain.records import Refusal, SchedulerSettings

MADE = "gamma=0.01 ** (1 / self.trainer.max_epochs)"
TABLE = {
    "returned where it is made": (
        """\
        import torch

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=LR)  # plain
        """,
        f"""\
        import torch

        def configure_optimizers(self):
            optimizer = torch.optim.SGD(self.parameters(), lr=LR)  # plain
            scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, {MADE})
            return {{"optimizer": optimizer, "lr_scheduler": scheduler}}
        """,
    ),
    "a name": (
        """\
        from torch.optim import Adam
        from torch.optim.lr_scheduler import ExponentialLR

        def configure_optimizers(self):
            adam = Adam(self.parameters())
            return adam
        """,
        f"""\
        from torch.optim import Adam
        from torch.optim.lr_scheduler import ExponentialLR

        def configure_optimizers(self):
            adam = Adam(self.parameters())
            scheduler = ExponentialLR(adam, {MADE})
            return {{"optimizer": adam, "lr_scheduler": scheduler}}
        """,
    ),
    "a list": (
        """\
        import torch.optim as optim

        def configure_optimizers(self):
            return [optim.Adam(self.parameters())]
        """,
        f"""\
        import torch.optim as optim

        def configure_optimizers(self):
            optimizer = optim.Adam(self.parameters())
            scheduler = optim.lr_scheduler.ExponentialLR(optimizer, {MADE})
            return {{"optimizer": optimizer, "lr_scheduler": scheduler}}
        """,
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_becomes(becomes, name):
    becomes("exponential_schedule", *TABLE[name])


SCRIPT = TABLE["returned where it is made"][0]


def test_cannot(cannot):
    cannot("exponential_schedule", SCRIPT.replace("return ", "return 1, "), "one return of the optimizer alone")


@pytest.mark.parametrize(
    ("fields", "locks", "reason"),
    [
        ({"schedulers": (SchedulerSettings(type="StepLR", arguments={}),)}, {}, "a schedule already"),
        ({"max_epochs": -1, "max_steps": 100}, {}, "only max_steps"),
        ({}, {"scheduler": "none"}, "the rules hold scheduler"),
    ],
)
def test_refuses(proposed, fields, locks, reason):
    refusal = proposed("exponential_schedule", SCRIPT, "best-early", locks=locks, **fields)

    assert isinstance(refusal, Refusal)
    assert reason in refusal.reason
