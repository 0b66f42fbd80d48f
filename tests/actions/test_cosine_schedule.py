"""Cosine annealing is returned beside the optimizer and steps with the epochs."""

import pytest

from progtrain.records import Proposal, Refusal, SchedulerSettings

TABLE = {
    "returned where it is made": (
        """\
        import torch

        class Net:
            def configure_optimizers(self):
                return torch.optim.SGD(self.parameters(), lr=0.1)
        """,
        """\
        import torch

        class Net:
            def configure_optimizers(self):
                optimizer = torch.optim.SGD(self.parameters(), lr=0.1)
                scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=self.trainer.max_epochs)
                return {"optimizer": optimizer, "lr_scheduler": scheduler}
        """,
    ),
    "a name, in a list": (
        """\
        import torch.optim as optim

        def configure_optimizers(self):
            opt = optim.Adam(self.parameters())
            return [opt]
        """,
        """\
        import torch.optim as optim

        def configure_optimizers(self):
            opt = optim.Adam(self.parameters())
            scheduler = optim.lr_scheduler.CosineAnnealingLR(opt, T_max=self.trainer.max_epochs)
            return {"optimizer": opt, "lr_scheduler": scheduler}
        """,
    ),
    "several lines, imported by name": (
        """\
        from torch.optim import AdamW

        class Net:
            def configure_optimizers(self):
                return AdamW(
                    self.parameters(),
                    lr=self.hparams.lr,  # tuned
                )
        """,
        """\
        from torch.optim import AdamW
        from torch.optim.lr_scheduler import CosineAnnealingLR

        class Net:
            def configure_optimizers(self):
                optimizer = AdamW(
                    self.parameters(),
                    lr=self.hparams.lr,  # tuned
                )
                scheduler = CosineAnnealingLR(optimizer, T_max=self.trainer.max_epochs)
                return {"optimizer": optimizer, "lr_scheduler": scheduler}
        """,
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_becomes(becomes, name):
    becomes("cosine_schedule", *TABLE[name])


SCRIPT = TABLE["returned where it is made"][0]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("torch.optim.SGD", "make"),
        ("return ", "return 1, "),
        ("configure_optimizers", "build"),
        ("return ", "pass; return "),
    ],
)
def test_cannot(cannot, old, new):
    cannot("cosine_schedule", SCRIPT.replace(old, new), "Expected|expected")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"schedulers": (SchedulerSettings(type="StepLR", arguments={}),)}, "a schedule already"),
        ({"max_epochs": None, "max_steps": 500}, "number of epochs"),
    ],
)
def test_refuses(proposed, fields, reason):
    refusal = proposed("cosine_schedule", SCRIPT, "late-jitter", **fields)
    assert isinstance(refusal, Refusal)
    assert reason in refusal.reason


def test_proposes(proposed):
    assert isinstance(proposed("cosine_schedule", SCRIPT, "late-jitter"), Proposal)
