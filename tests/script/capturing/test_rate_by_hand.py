"""A rate that a script sets itself is a schedule; a schedule that never acts is none."""

from pathlib import Path
from textwrap import indent

import pytest

from progtrain.script.capturing import rate_by_hand, schedule_rehearsal
from tests.script.capturing.scripts import SGD, TRAINER, captured

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")

WARM_UP = """
def optimizer_step(self, epoch, batch_idx, optimizer, optimizer_closure):
    optimizer.step(closure=optimizer_closure)
    for group in optimizer.param_groups:
        group["lr"] = min(1.0, (self.trainer.global_step + 1) / 500) * self.lr
"""
HELPER = """
def on_train_batch_start(self, batch, batch_idx):
    self.adjust(batch_idx)

def adjust(self, step):
    self.optimizers().param_groups[0]["lr"] *= 0.99
"""
READS = """
def on_train_epoch_end(self):
    for group in self.optimizers().param_groups:
        self.log("rate", group["lr"])
    figures = {}
    figures["lr"] = self.lr
"""
OWN = """
def on_train_epoch_end(self):
    self.noam.step()
"""
CALLBACK = """
class Decay(L.Callback):
    def on_train_epoch_start(self, trainer, module):
        for group in trainer.optimizers[0].param_groups:
            group["lr"] = 0.05 * 0.9 ** trainer.current_epoch
"""
BUILT = """
optimizer = torch.optim.SGD(self.parameters(), lr=self.lr)
self.noam = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 / (step + 1))
return optimizer
"""
LIGHTNINGS = """
optimizer = torch.optim.SGD(self.parameters(), lr=self.lr)
self.noam = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 / (step + 1))
return [optimizer], [self.noam]
"""


def fit_of(folder: Path, inside: str = "", optimizers: str = SGD, callbacks: str = "", before: str = ""):
    own = f"class Own(Net):\n    pass\n{indent(inside, '    ')}\n{before}\n"
    trainer = TRAINER.replace("L.Trainer(", f"L.Trainer(callbacks=[{callbacks}], ")
    return captured(folder, f"{own}{trainer}.fit(Own(), loader(50), loader(20))", optimizers.strip())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"inside": WARM_UP}, "optimizer_step sets the rate in line"),
        ({"inside": HELPER}, "adjust, which on_train_batch_start calls, sets the rate in line"),
        ({"inside": OWN, "optimizers": BUILT}, "on_train_epoch_end steps LambdaLR by itself"),
        ({"before": CALLBACK, "callbacks": "Decay()"}, "on_train_epoch_start sets the rate in line"),
        ({"inside": READS}, None),
        ({"inside": OWN, "optimizers": LIGHTNINGS}, None),
        ({}, None),
    ],
    ids=["warm-up", "a helper", "a scheduler of its own", "a callback", "read only", "Lightning's", "nothing"],
)
def test_what_sets_the_rate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments, said: str | None) -> None:
    monkeypatch.chdir(tmp_path)
    fit = fit_of(tmp_path, **arguments)
    found = rate_by_hand.rate_by_hand(fit.trainer)
    assert (found or "")[: len(said or "")] == (said or "")
    assert (found is None) == (said is None)


@pytest.mark.parametrize(
    ("scheduler", "idle"),
    [
        ("MultiStepLR(optimizer, [100, 150])", ("MultiStepLR",)),
        ("MultiStepLR(optimizer, [1])", ()),
        ("StepLR(optimizer, 30)", ("StepLR",)),
        ("LambdaLR(optimizer, lambda epoch: 1.0)", ("LambdaLR",)),
        ("CosineAnnealingLR(optimizer, 2)", ()),
        ("ReduceLROnPlateau(optimizer)", ()),
    ],
)
def test_a_schedule_that_never_acts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheduler: str, idle: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    built = "optimizer = torch.optim.SGD(self.parameters(), lr=self.lr)\nscheduler = torch.optim.lr_scheduler."
    told = '\nreturn {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "monitor": "valid_loss"}}'
    fit = fit_of(tmp_path, optimizers=built + scheduler + told)
    rehearsed = schedule_rehearsal.rehearse(fit.trainer, resumed=False)
    snapshot = fit.snapshot.model_copy(update={"idle_schedulers": rehearsed.idle})
    assert rehearsed.idle == idle
    assert (snapshot.rate_changes is None) == bool(idle)
