"""What a rehearsal foresees is what the training then does: every row is trained for real as well."""

import runpy
from pathlib import Path
from textwrap import indent

import pytest

from progtrain.script.capturing import schedule_rehearsal
from progtrain.script.capturing.capture import capture_fit

pytestmark = pytest.mark.filterwarnings("ignore")

SCRIPT = """
import lightning as L
import torch
from lightning.pytorch.callbacks import BackboneFinetuning, Callback, StochasticWeightAveraging
from torch.optim import SGD
from torch.optim.lr_scheduler import *
from torch.utils.data import DataLoader, IterableDataset, TensorDataset


class Net(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.backbone = torch.nn.Linear(2, 3)
        self.head = torch.nn.Linear(3, 1)

    def training_step(self, batch, index):
        return self.head(self.backbone(batch[0])).square().mean()

    def configure_optimizers(self):
        optimizer = SGD((p for p in self.parameters() if p.requires_grad), lr=0.1, momentum=0.9)
{optimizers}


class Unfreezing(Callback):
    def setup(self, trainer, module, stage):
        module.backbone.requires_grad_(False)

    def on_train_epoch_start(self, trainer, module):
        if trainer.current_epoch == 1:
            module.backbone.requires_grad_(True)
            trainer.optimizers[0].add_param_group({{"params": module.backbone.parameters(), "lr": 0.01}})


class Endless(IterableDataset):
    def __iter__(self):
        return iter(torch.ones(6, 1, 2))


data = DataLoader(TensorDataset(torch.ones(6, 2)), batch_size=2)
trainer = L.Trainer(accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
                    enable_model_summary=False, {trainer})
trainer.fit(Net(), {data}{resume})
"""
STEPPED = 'return [optimizer], [{{"scheduler": {scheduler}, "interval": "step"}}]'
BY_EPOCH = "return [optimizer], [{scheduler}]"
CYCLE = STEPPED.format(scheduler="OneCycleLR(optimizer, 0.1, total_steps=6)")
UNFREEZE = "max_epochs=3, callbacks=[BackboneFinetuning(unfreeze_backbone_at_epoch=1)]"
TABLE = BY_EPOCH.format(scheduler="LambdaLR(optimizer, lambda epoch: [1, 0.5, 0.1][epoch])")
COSINE = BY_EPOCH.format(scheduler="CosineAnnealingLR(optimizer, 3)")
PLATEAU = 'return {"optimizer": optimizer, "lr_scheduler": ReduceLROnPlateau(optimizer), "monitor": "x"}'


def written(folder: Path, optimizers: str, trainer: str, data: str = "data", resume: str = "") -> Path:
    script = folder / "02_train_v001.py"
    body = SCRIPT.format(optimizers=indent(optimizers, " " * 8), trainer=trainer, data=data, resume=resume)
    script.write_text(body)
    return script


def trained(script: Path) -> str | None:
    """What the training itself ends with."""
    try:
        runpy.run_path(str(script), run_name="__main__")
    except Exception as error:  # noqa: BLE001
        return f"{type(error).__name__}: {error}"
    return None


def rehearsed(script: Path) -> str | None:
    fit = capture_fit(script)
    found = schedule_rehearsal.rehearse(fit.trainer, resumed=fit.ckpt_path is not None).breakdown
    return None if found is None else f"{found.error} @ {found.after}/{found.steps}"


TRIED_ONCE_MORE = "ValueError: Tried to step 7 times. The specified number of total steps is 6"


@pytest.mark.parametrize(
    ("optimizers", "trainer", "place"),
    [
        (CYCLE, "max_epochs=2", None),
        (CYCLE, "max_epochs=3", "6/9"),
        (CYCLE, "max_steps=6", None),
        (CYCLE, "max_epochs=3, accumulate_grad_batches=2", None),
        (CYCLE, "max_epochs=4, accumulate_grad_batches=2", "6/8"),
        (CYCLE, "max_epochs=4, limit_train_batches=1", None),
        (CYCLE.replace('"step"', '"step", "frequency": 2'), "max_epochs=4", None),
        (CYCLE, "max_epochs=4, callbacks=[StochasticWeightAveraging(0.1, swa_epoch_start=2)]", None),
        (TABLE, "max_epochs=2", None),
        (TABLE, "max_epochs=4", "9/12"),
        (CYCLE.replace("6)", "9)"), UNFREEZE, "3/9"),
        ("return optimizer", UNFREEZE, None),
        (COSINE, "max_epochs=3", None),
        (COSINE, UNFREEZE, None),
        (CYCLE.replace("6)", "9)"), "max_epochs=3, callbacks=[Unfreezing()]", "3/9"),
    ],
)
def test_what_is_foreseen_is_what_happens(tmp_path: Path, optimizers: str, trainer: str, place: str | None) -> None:
    script = written(tmp_path, optimizers, trainer)
    found, happened = rehearsed(script), trained(script)
    assert found == (None if place is None else f"{happened} @ {place}")
    assert (happened is None) == (place is None)


@pytest.mark.parametrize(
    ("optimizers", "trainer", "data"),
    [
        (CYCLE, "max_epochs=9", "DataLoader(Endless())"),
        (PLATEAU, "max_epochs=9", "data"),
        ("self.automatic_optimization = False\n" + CYCLE, "max_epochs=9", "data"),
    ],
)
def test_what_has_no_known_length_or_needs_figures_is_not_rehearsed(
    tmp_path: Path, optimizers: str, trainer: str, data: str
) -> None:
    assert rehearsed(written(tmp_path, optimizers, trainer, data)) is None


@pytest.mark.parametrize(("total", "found"), [(9_000_000, None), (8_000_000, "None/9000000")])
def test_of_a_long_training_the_beginning_and_the_end_are_rehearsed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, total: int, found: str | None
) -> None:
    monkeypatch.setattr(schedule_rehearsal, "MOST_STEPS", 10)
    said = rehearsed(written(tmp_path, CYCLE.replace("=6)", f"={total})"), "max_epochs=3_000_000"))
    assert (said and said.partition(" @ ")[2]) == found


def test_a_resumed_training_is_rehearsed_from_where_it_goes_on(tmp_path: Path) -> None:
    first = "max_epochs=1"
    trained(written(tmp_path, CYCLE, first, resume=f")\ntrainer.save_checkpoint({str(tmp_path / 'a.ckpt')!r}"))
    resume = f", ckpt_path={str(tmp_path / 'a.ckpt')!r}"
    script = written(tmp_path, CYCLE, "max_epochs=2", resume=resume)
    assert (rehearsed(script), trained(script)) == (None, None)
    longer = written(tmp_path, CYCLE, "max_epochs=3", resume=resume)
    assert rehearsed(longer) == f"{TRIED_ONCE_MORE} @ 6/9"
    assert trained(longer) == TRIED_ONCE_MORE
    plain = f")\ntrainer.save_checkpoint({str(tmp_path / 'b.ckpt')!r}"
    trained(written(tmp_path, "return optimizer", first, resume=plain))
    cycled = written(tmp_path, CYCLE, "max_epochs=2", resume=f", ckpt_path={str(tmp_path / 'b.ckpt')!r}")
    assert rehearsed(cycled) == "KeyError: 'max_lr' @ 3/6"
    assert trained(cycled) == "KeyError: 'max_lr'"
