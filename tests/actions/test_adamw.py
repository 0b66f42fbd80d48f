"""SGD becomes AdamW, whatever the script's habits."""

import pytest

from progtrain.records import OptimizerSettings, Proposal, Refusal, SchedulerSettings

SCRIPT = """\
import torch

LR = 0.01  # found by hand


class Net:
    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=LR)
"""
AFTER = SCRIPT.replace("LR = 0.01", "LR = 0.002").replace("SGD", "AdamW")

TABLE = {
    "a constant": (SCRIPT, AFTER),
    "optim, momentum dropped, weight decay kept": (
        """\
        from torch import optim

        def configure_optimizers(self):
            opt = optim.SGD(self.parameters(), lr=1e-2, momentum=0.9, weight_decay=1e-4, nesterov=True)  # plain
            return [opt]
        """,
        """\
        from torch import optim

        def configure_optimizers(self):
            opt = optim.AdamW(self.parameters(), lr=0.002, weight_decay=1e-4)  # plain
            return [opt]
        """,
    ),
    "the class imported, another name for it": (
        """\
        '''A baseline.'''
        from torch.optim import SGD as Descent

        class Net:
            def __init__(self, lr=0.05):
                self.save_hyperparameters()

            def configure_optimizers(self):
                return {"optimizer": Descent(self.parameters(), self.hparams.lr)}
        """,
        """\
        '''A baseline.'''
        from torch.optim import AdamW

        class Net:
            def __init__(self, lr=0.002):
                self.save_hyperparameters()

            def configure_optimizers(self):
                return {"optimizer": AdamW(self.parameters(), self.hparams.lr)}
        """,
    ),
    "argparse": (
        """\
        import argparse
        import torch.optim as optim

        parser = argparse.ArgumentParser()
        parser.add_argument("--lr", type=float, default=0.1, help="rate")
        args = parser.parse_args()

        def configure_optimizers(self):
            return optim.SGD(self.parameters(), lr=args.lr)
        """,
        """\
        import argparse
        import torch.optim as optim

        parser = argparse.ArgumentParser()
        parser.add_argument("--lr", type=float, default=0.002, help="rate")
        args = parser.parse_args()

        def configure_optimizers(self):
            return optim.AdamW(self.parameters(), lr=args.lr)
        """,
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_becomes(becomes, name):
    becomes("adamw", *TABLE[name], lr=0.002, weight_decay=None)


def test_a_locked_weight_decay_is_written_out(becomes):
    after = AFTER.replace("lr=LR", "lr=LR, weight_decay=0")
    becomes("adamw", SCRIPT, after, lr=0.002, weight_decay=0.0)


@pytest.mark.parametrize(
    ("source", "match"),
    [
        (SCRIPT.replace("SGD", "Adam"), "got \\['Adam'\\]"),
        (SCRIPT.replace("lr=LR", "lr=LR, **more"), "spelled out"),
        (SCRIPT.replace("lr=LR", "0.01, 0.9"), "by name"),
        (SCRIPT.replace("        return", "        torch.optim.SGD([])\n        return"), "Expected one optimizer"),
        ("import torch\n", "got none"),
    ],
)
def test_cannot(cannot, source, match):
    cannot("adamw", source, match, lr=0.002, weight_decay=None)


def test_touches_the_rate_only_where_it_is_free(proposed):
    free = proposed("adamw", SCRIPT, "plain-sgd")
    held = proposed("adamw", SCRIPT, "plain-sgd", locks={"lr": 0.01, "weight_decay": 0})
    assert isinstance(free, Proposal)
    assert set(free.touches) >= {"lr", "weight_decay"}
    assert free.where == "line 3: LR = 0.01  # found by hand"
    assert isinstance(held, Proposal)
    assert not {"lr", "weight_decay"} & set(held.touches)
    assert held.parameters == {"lr": None, "weight_decay": 0.0}


@pytest.mark.parametrize(
    ("fields", "locks", "reason"),
    [
        ({"automatic_optimization": False}, {}, "by hand"),
        ({}, {"optimizer": "SGD"}, "the rules hold optimizer"),
        ({"optimizers": ()}, {}, "Expected one optimizer"),
        ({"optimizers": (OptimizerSettings(type="Adam", groups=({"lr": 0.001},)),)}, {}, "trains with Adam"),
        ({"optimizers": (OptimizerSettings(type="SGD", groups=({"lr": 0.5},)),)}, {"lr": 0.5}, "may not be changed"),
    ],
)
def test_refuses(proposed, fields, locks, reason):
    refusal = proposed("adamw", SCRIPT, "plain-sgd", locks=locks, **fields)
    assert isinstance(refusal, Refusal)
    assert reason in refusal.reason


def test_refuses_a_peak_rate_that_would_stay(proposed):
    source = SCRIPT.replace(
        "        return", "        s = torch.optim.lr_scheduler.OneCycleLR(None, max_lr=0.3)\n        return"
    )
    schedule = SchedulerSettings(type="OneCycleLR", arguments={"max_lr": 0.3})
    assert isinstance(proposed("adamw", source, "plain-sgd", schedulers=(schedule,)), Refusal)
    assert isinstance(proposed("adamw", source.replace("0.3", "3 * LR"), "plain-sgd"), Proposal)


def test_without_a_finding_it_answers_the_first_of_those_it_could(proposed):
    assert proposed("adamw", SCRIPT, "overfitting").answers == "plain-sgd"
