"""What an optimizer was trained with is held against the rules, by the checkpoints of real trainings."""

import json
from pathlib import Path

import lightning as L
import pytest
import torch
from torch.optim import SGD, Adam, lr_scheduler

from progtrain.errors import EvaluationError
from progtrain.evaluation.asking.trained_settings import hold_settings_of
from progtrain.rules import read_rules

pytestmark = [
    pytest.mark.filterwarnings("ignore:The 'train_dataloader' does not have many workers"),
    pytest.mark.filterwarnings("ignore:.*isinstance.treespec, LeafSpec.*"),
]


class Model(L.LightningModule):
    def __init__(self, configure, hook=None):
        super().__init__()
        self.layer, self.extra = torch.nn.Linear(2, 1), torch.nn.Linear(2, 1)
        self.configure, self.hook = configure, hook

    def training_step(self, batch, batch_idx):
        loss = (self.layer(batch[0]) + self.extra(batch[0])).square().mean()
        self.log("loss", loss)
        return loss

    def on_train_batch_end(self, outputs, batch, batch_idx):
        if self.hook is not None:
            self.hook(self.optimizers())

    def configure_optimizers(self):
        return self.configure(self)


def sgd(model, lr=0.1, **options):
    return SGD(model.parameters(), lr=lr, **options)


def scheduled(make, **options):
    """An optimizer at 0.1 with a schedule."""

    def configure(model):
        optimizer = sgd(model, momentum=0.9)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": make(optimizer), "interval": "step", **options}}

    return configure


def two_groups(lower):
    return lambda model: SGD(
        [{"params": model.layer.parameters()}, {"params": model.extra.parameters(), "lr": lower}], 0.1
    )


def by_hand(model):
    """A schedule that Lightning knows nothing of."""
    optimizer = sgd(model)
    model.schedule = lr_scheduler.StepLR(optimizer, 1, gamma=0.1)
    model.hook = lambda _: model.schedule.step()
    return optimizer


def trained(folder: Path, configure, hook=None, callbacks=(), ckpt_path=None) -> Path:
    trainer = L.Trainer(
        max_epochs=3,
        accelerator="cpu",
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
        callbacks=list(callbacks),
    )
    rows = torch.utils.data.TensorDataset(torch.randn(8, 2))
    trainer.fit(Model(configure, hook), torch.utils.data.DataLoader(rows, batch_size=4), ckpt_path=ckpt_path)
    path = folder / "v001" / "best.ckpt"
    trainer.save_checkpoint(path)
    return path


def at(rate):
    def hook(optimizer):
        optimizer.param_groups[0]["lr"] = rate

    return hook


def hold(folder: Path, checkpoint: Path, **fixed) -> None:
    (folder / "user_defined_rules.json").write_text(json.dumps({"training_config": fixed or {"lr": 0.1}}))
    hold_settings_of(checkpoint, read_rules(folder))


AS_THE_RULES_SAY = {
    "no schedule": (sgd, None),
    "a further group below": (two_groups(0.01), None),
    "steps": (scheduled(lambda o: lr_scheduler.StepLR(o, 1, gamma=0.1)), None),
    "warm-up, then cosine": (
        scheduled(
            lambda o: lr_scheduler.SequentialLR(
                o, [lr_scheduler.LinearLR(o, 0.1), lr_scheduler.CosineAnnealingLR(o, 4)], [2]
            )
        ),
        None,
    ),
    "a factor above one": (scheduled(lambda o: lr_scheduler.LambdaLR(o, lambda step: 1 + step)), None),
    "plateau": (
        scheduled(lambda o: lr_scheduler.ReduceLROnPlateau(o, patience=0, threshold=9.0), monitor="loss"),
        None,
    ),
    "one cycle": (scheduled(lambda o: lr_scheduler.OneCycleLR(o, max_lr=0.3, total_steps=7)), None),
    "cycles": (scheduled(lambda o: lr_scheduler.CyclicLR(o, 0.01, 0.2, step_size_up=2, cycle_momentum=False)), None),
    "a schedule by hand": (by_hand, None),
}
OTHERWISE = {
    "lower in a hook": (sgd, at(0.02), r"\[0\.02\]"),
    "higher in a hook": (sgd, at(0.5), r"\[0\.5\]"),
    "another from the start": (lambda model: sgd(model, lr=0.05), None, r"\[0\.05\]"),
    "a further group above": (two_groups(0.3), None, r"\[0\.1, 0\.3\]"),
    "a schedule from another rate": (
        lambda model: [[o := sgd(model, lr=0.05)], [lr_scheduler.StepLR(o, 9)]],
        None,
        r"\[0\.05\]",
    ),
    "raised before a plateau": (
        scheduled(lambda o: lr_scheduler.ReduceLROnPlateau(o), monitor="loss"),
        at(0.5),
        r"\[0\.5\]",
    ),
}


@pytest.mark.parametrize("kind", AS_THE_RULES_SAY)
def test_a_rate_that_a_schedule_moves_is_the_rate_it_began_with(tmp_path: Path, kind: str) -> None:
    hold(tmp_path, trained(tmp_path, *AS_THE_RULES_SAY[kind]))


@pytest.mark.parametrize("kind", OTHERWISE)
def test_another_rate_is_refused(tmp_path: Path, kind: str) -> None:
    configure, hook, live = OTHERWISE[kind]
    checkpoint = trained(tmp_path, configure, hook)
    with pytest.raises(EvaluationError, match=rf"training_config\.lr fixes lr at 0\.1, the optimizer had {live}"):
        hold(tmp_path, checkpoint)


def test_a_rate_restored_from_a_checkpoint_is_refused(tmp_path: Path) -> None:
    start = trained(tmp_path, lambda model: sgd(model, lr=0.001)).rename(tmp_path / "start.ckpt")
    went_on = trained(tmp_path, sgd, ckpt_path=start)
    with pytest.raises(EvaluationError, match=r"the optimizer had \[0\.001\]"):
        hold(tmp_path, went_on)


def test_averaging_sets_a_rate_of_its_own(tmp_path: Path) -> None:
    swa = L.pytorch.callbacks.StochasticWeightAveraging(swa_lrs=0.01, swa_epoch_start=1)
    hold(tmp_path, trained(tmp_path, sgd, callbacks=[swa]))


def test_other_settings_are_held_as_they_are(tmp_path: Path) -> None:
    checkpoint = trained(tmp_path, lambda model: Adam(model.parameters(), lr=0.1, weight_decay=0.2))
    hold(tmp_path, checkpoint, lr=0.1, weight_decay=0.2)
    with pytest.raises(EvaluationError, match=r"weight_decay at 0\.3, the optimizer had \[0\.2\]"):
        hold(tmp_path, checkpoint, weight_decay=0.3)
