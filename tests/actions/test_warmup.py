"""A linear warm-up is returned beside the optimizer and steps with the batches."""

import pytest

from progtrain.records import Proposal, Refusal, SchedulerSettings

STEPS = "total_iters=max(1, int(self.trainer.estimated_stepping_batches) // 20)"
RETURNED = 'return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}'
TABLE = {
    "returned where it is made": (
        """\
        import torch

        class Net:
            def configure_optimizers(self):
                return torch.optim.SGD(self.parameters(), lr=0.1)
        """,
        f"""\
        import torch

        class Net:
            def configure_optimizers(self):
                optimizer = torch.optim.SGD(self.parameters(), lr=0.1)
                scheduler = torch.optim.lr_scheduler.LinearLR(
                    optimizer, start_factor=0.1, {STEPS}
                )
                {RETURNED}
        """,
    ),
    "a name": (
        """\
        from torch import optim

        def configure_optimizers(self):
            optimizer = optim.Adam(self.parameters())
            return optimizer
        """,
        f"""\
        from torch import optim

        def configure_optimizers(self):
            optimizer = optim.Adam(self.parameters())
            scheduler = optim.lr_scheduler.LinearLR(
                optimizer, start_factor=0.1, {STEPS}
            )
            {RETURNED}
        """,
    ),
    "a dict": (
        """\
        from torch.optim import Adam

        def configure_optimizers(self):
            return {"optimizer": Adam(self.parameters())}
        """,
        f"""\
        from torch.optim import Adam
        from torch.optim.lr_scheduler import LinearLR

        def configure_optimizers(self):
            optimizer = Adam(self.parameters())
            scheduler = LinearLR(
                optimizer, start_factor=0.1, {STEPS}
            )
            {RETURNED}
        """,
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_becomes(becomes, name):
    becomes("warmup", *TABLE[name])


SCRIPT = TABLE["returned where it is made"][0]


@pytest.mark.parametrize(
    ("old", "new"), [("torch.optim.SGD", "make"), ("return ", "return 1, "), ("configure_optimizers", "build")]
)
def test_cannot(cannot, old, new):
    cannot("warmup", SCRIPT.replace(old, new), "Expected|expected")


def test_refuses_a_second_schedule(proposed):
    refusal = proposed(
        "warmup", SCRIPT, "early-instability", schedulers=(SchedulerSettings(type="StepLR", arguments={}),)
    )
    assert isinstance(refusal, Refusal)
    assert isinstance(proposed("warmup", SCRIPT, "early-instability"), Proposal)
