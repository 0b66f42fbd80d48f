"""Figures are found in a log that Lightning wrote, at the moment of its checkpoint."""

from pathlib import Path

import pytest
import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger
from torch.utils.data import DataLoader, TensorDataset

from progtrain.evaluation.asking.logged import logged_at


class OneName(LightningModule):
    """It logs of training and validation by the same name."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)

    def training_step(self, batch: list[torch.Tensor], index: int) -> torch.Tensor:
        self.log("loss", 10.0 + self.current_epoch, on_step=False, on_epoch=True)
        return self.layer(batch[0]).square().mean()

    def validation_step(self, batch: list[torch.Tensor], index: int) -> None:
        self.log("loss", 1.0 + abs(self.current_epoch - 1))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


@pytest.mark.filterwarnings("ignore")
def test_a_name_that_training_and_validation_share_has_both_figures(tmp_path: Path) -> None:
    data = DataLoader(TensorDataset(torch.ones(8, 1)), batch_size=2)
    best = ModelCheckpoint(tmp_path, "best")
    logger = CSVLogger(tmp_path, name="logs")
    quiet = {"enable_progress_bar": False, "enable_model_summary": False, "num_sanity_val_steps": 0}
    Trainer(max_epochs=3, accelerator="cpu", callbacks=[best], logger=logger, **quiet).fit(OneName(), data, data)
    assert set(logged_at(tmp_path, tmp_path / "best.ckpt")["loss"]) == {2.0, 12.0}
