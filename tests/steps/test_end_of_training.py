"""last.ckpt is held against the log, with checkpoints that Lightning wrote."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger
from torch.utils.data import DataLoader, TensorDataset

from progtrain.steps.end_of_training import not_the_end

EPOCHS = 4


class Worsening(LightningModule):
    """Its validation loss is lowest after the first epoch."""

    def __init__(self, value: float = 1.0) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)
        self.value = value

    def training_step(self, batch: list[torch.Tensor], index: int) -> torch.Tensor:
        return self.layer(batch[0]).square().mean()

    def test_step(self, batch: list[torch.Tensor], index: int) -> None:
        self.log("test_loss", self.value)

    def validation_step(self, batch: list[torch.Tensor], index: int) -> None:
        self.log("val_loss", self.value * (1 + self.current_epoch))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


def trained(
    folder: Path, *checkpoints: ModelCheckpoint, value: float = 1.0, **settings: float
) -> tuple[Trainer, LightningModule, DataLoader]:
    data = DataLoader(TensorDataset(torch.ones(8, 1)), batch_size=2)
    trainer = Trainer(
        max_epochs=EPOCHS,
        accelerator="cpu",
        callbacks=list(checkpoints),
        logger=CSVLogger(folder, name="logs"),
        enable_progress_bar=False,
        enable_model_summary=False,
        log_every_n_steps=1,
        **settings,
    )
    model = Worsening(value)
    trainer.fit(model, data, data)
    return trainer, model, data


@pytest.mark.filterwarnings("ignore")
class TestLastCheckpoint:
    @pytest.mark.parametrize("value", [1.0, float("nan")])
    def test_one_that_follows_the_best_is_not_the_end(self, tmp_path: Path, value: float) -> None:
        trained(tmp_path, ModelCheckpoint(tmp_path, "best", monitor="val_loss", save_last=True), value=value)
        said = not_the_end(tmp_path)
        assert said is not None
        assert said.startswith("last.ckpt is of epoch 0, after 4 batches; the training went on to 16:")

    @pytest.mark.parametrize("settings", [{}, {"check_val_every_n_epoch": 3}, {"val_check_interval": 0.5}])
    def test_a_second_one_that_watches_nothing_is(self, tmp_path: Path, settings: dict[str, float]) -> None:
        best = ModelCheckpoint(tmp_path, "best", monitor="val_loss")
        last = ModelCheckpoint(tmp_path, "last", save_on_train_epoch_end=True, enable_version_counter=False)
        trained(tmp_path, best, last, **settings)
        assert not_the_end(tmp_path) is None
        assert sorted(path.name for path in tmp_path.glob("*.ckpt")) == ["best.ckpt", "last.ckpt"]

    @pytest.mark.parametrize("stage", ["test", "validate"])
    def test_what_is_tested_after_a_training_is_not_its_end(self, tmp_path: Path, stage: str) -> None:
        last = ModelCheckpoint(tmp_path, "last", save_on_train_epoch_end=True, enable_version_counter=False)
        trainer, model, data = trained(tmp_path, last)
        getattr(trainer, stage)(model, data)
        assert not_the_end(tmp_path) is None

    def test_what_cannot_be_read_is_not_judged(self, tmp_path: Path) -> None:
        assert not_the_end(tmp_path) is None
        trained(tmp_path, ModelCheckpoint(tmp_path, "best", monitor="val_loss"))
        (tmp_path / "last.ckpt").write_bytes(b"\x80\x04of another format")
        assert not_the_end(tmp_path) is None
