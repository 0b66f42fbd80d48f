"""A one-cycle schedule is built where the optimizer is returned, however it is returned."""

import pytest

from progtrain.records import OptimizerSettings, Proposal, Refusal, SchedulerSettings

ARGUMENTS = {"factor": 3.0, "cycle_momentum": True}
RETURNED = 'return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}'
TABLE = {
    "returned where it is made": (
        """\
        import torch

        class Net:
            def configure_optimizers(self):
                return torch.optim.AdamW(self.parameters(), lr=LR)  # found by hand
        """,
        f"""\
        import torch

        class Net:
            def configure_optimizers(self):
                optimizer = torch.optim.AdamW(self.parameters(), lr=LR)  # found by hand
                scheduler = torch.optim.lr_scheduler.OneCycleLR(
                    optimizer, max_lr=3 * LR, total_steps=self.trainer.estimated_stepping_batches
                )
                {RETURNED}
        """,
    ),
    "a name; the rate a literal": (
        """\
        from torch import optim

        def configure_optimizers(self):
            opt = optim.Adam(self.parameters(), lr=1e-3)

            return opt
        """,
        """\
        from torch import optim

        def configure_optimizers(self):
            opt = optim.Adam(self.parameters(), lr=1e-3)

            scheduler = optim.lr_scheduler.OneCycleLR(
                opt, max_lr=3 * opt.defaults["lr"], total_steps=self.trainer.estimated_stepping_batches
            )
            return {"optimizer": opt, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}
        """,
    ),
    "a dict; imported by name": (
        """\
        from torch.optim import SGD

        class Net:
            def configure_optimizers(self):
                return {"optimizer": SGD(self.parameters(), self.hparams["lr"], momentum=0.9)}
        """,
        f"""\
        from torch.optim import SGD
        from torch.optim.lr_scheduler import OneCycleLR

        class Net:
            def configure_optimizers(self):
                optimizer = SGD(self.parameters(), self.hparams["lr"], momentum=0.9)
                scheduler = OneCycleLR(
                    optimizer, max_lr=3 * self.hparams["lr"], total_steps=self.trainer.estimated_stepping_batches
                )
                {RETURNED}
        """,
    ),
    "lists": (
        """\
        import torch

        def configure_optimizers(self):
            optimizer = torch.optim.Adam(self.parameters())
            return [optimizer], []
        """,
        f"""\
        import torch

        def configure_optimizers(self):
            optimizer = torch.optim.Adam(self.parameters())
            scheduler = torch.optim.lr_scheduler.OneCycleLR(
                optimizer, max_lr=3 * optimizer.defaults["lr"], total_steps=self.trainer.estimated_stepping_batches
            )
            {RETURNED}
        """,
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_becomes(becomes, name):
    becomes("one_cycle", *TABLE[name], **ARGUMENTS)


SCRIPT = TABLE["returned where it is made"][0]
STEPPED = """\
import torch

def configure_optimizers(self):
    o = torch.optim.SGD(self.parameters(), 0.1)
    s = torch.optim.lr_scheduler.StepLR(o, 1)
    return o
"""
TWO_RETURNS = """\
import torch

def configure_optimizers(self):
    o = torch.optim.SGD(self.parameters(), 0.1)
    if self.plain:
        return o
    return o
"""


def test_leaves_the_momentum_of_a_plain_sgd_alone(becomes):
    before, after = TABLE["returned where it is made"]
    after = after.replace("batches\n", "batches, cycle_momentum=False\n").replace("3 * LR", "LR")
    becomes("one_cycle", before, after, factor=1.0, cycle_momentum=False)


@pytest.mark.parametrize(
    ("source", "match"),
    [
        (STEPPED, "found a scheduler"),
        (SCRIPT.replace("return ", "return [1], "), "one return of the optimizer alone"),
        (SCRIPT.replace("torch.optim.AdamW", "make_optimizer"), "found 1 with 0"),
        (SCRIPT.replace("configure_optimizers", "build"), "found 0 with 1"),
        (TWO_RETURNS, "one return"),
    ],
)
def test_cannot(cannot, source, match):
    cannot("one_cycle", source, match, **ARGUMENTS)


@pytest.mark.parametrize(
    ("kind", "group", "locks", "parameters"),
    [
        ("SGD", {"lr": 0.01, "momentum": 0}, {}, {"factor": 10.0, "cycle_momentum": False}),
        ("SGD", {"lr": 0.01, "momentum": 0.9}, {}, {"factor": 10.0, "cycle_momentum": True}),
        ("AdamW", {"lr": 0.002}, {}, {"factor": 5.0, "cycle_momentum": True}),
        ("Adagrad", {"lr": 0.01}, {}, {"factor": 1.0, "cycle_momentum": False}),
        ("AdamW", {"lr": 0.002}, {"lr": 0.002}, {"factor": 1.0, "cycle_momentum": True}),
        ("AdamW", {"lr": 0.02}, {}, {"factor": 1.0, "cycle_momentum": True}),
    ],
)
def test_peak(proposed, kind, group, locks, parameters):
    optimizers = (OptimizerSettings(type=kind, groups=(group,)),)
    proposal = proposed("one_cycle", SCRIPT, "constant-rate", locks=locks, optimizers=optimizers)
    assert isinstance(proposal, Proposal)
    assert proposal.parameters == parameters


@pytest.mark.parametrize(
    ("rate", "suggested", "locks", "factor"),
    [
        (0.002, 0.013, {}, 6.5),
        (0.002, 0.5, {}, 10.0),
        (0.02, 0.01, {}, 0.5),
        (0.02, 1e-5, {}, 0.1),
        (0.002, 0.013, {"lr": 0.002}, 1.0),
    ],
)
def test_a_range_test_sets_the_peak(proposed, becomes, rate, suggested, locks, factor):
    optimizers = (OptimizerSettings(type="AdamW", groups=({"lr": rate},)),)
    offered = {"locks": locks, "optimizers": optimizers, "suggested_peak": suggested}
    proposal = proposed("one_cycle", SCRIPT, "constant-rate", **offered)
    assert isinstance(proposal, Proposal)
    assert proposal.parameters == {"factor": factor, "cycle_momentum": True}
    after = TABLE["returned where it is made"][1].replace("3 * LR", "LR" if factor == 1 else f"{factor:g} * LR")
    becomes("one_cycle", SCRIPT, after, **proposal.parameters)


@pytest.mark.parametrize(
    ("fields", "locks", "reason"),
    [
        ({"schedulers": (SchedulerSettings(type="StepLR", arguments={}),)}, {}, "a schedule already"),
        ({"max_epochs": -1}, {}, "needs an end"),
        ({}, {"scheduler": "none"}, "the rules hold scheduler"),
    ],
)
def test_refuses(proposed, fields, locks, reason):
    refusal = proposed("one_cycle", SCRIPT, "slow", locks=locks, **fields)
    assert isinstance(refusal, Refusal)
    assert reason in refusal.reason
