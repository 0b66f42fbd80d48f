"""What is read from the metrics.csv that a real training leaves."""

import lightning.pytorch as pl
import pytest
import torch
from lightning.pytorch.loggers import CSVLogger
from torch.utils.data import DataLoader, TensorDataset

from progtrain.curves import by_epoch, read_curves

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")


class Line(pl.LightningModule):
    def __init__(self, logs_training):
        super().__init__()
        self.layer, self.logs_training = torch.nn.Linear(2, 1), logs_training

    def loss(self, batch):
        return self.layer(batch[0]).square().mean()

    def training_step(self, batch, index):
        loss = self.loss(batch)
        if self.logs_training:
            self.log("train_loss", loss, on_step=False, on_epoch=True)
        return loss

    def validation_step(self, batch, index):
        self.log("val_loss", self.loss(batch))

    def test_step(self, batch, index):
        self.log("test_loss", self.loss(batch))

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), 0.01)


@pytest.mark.parametrize(
    ("rows", "logs_training"),
    [(30, True), (30, False), (10, True)],
    ids=["three steps an epoch", "nothing logged of the training", "one step an epoch"],
)
@pytest.mark.parametrize("epochs", [1, 4])
def test_what_is_logged_after_the_training_is_no_part_of_its_curves(tmp_path, rows, logs_training, epochs):
    pl.seed_everything(1, verbose=False)
    loader = DataLoader(TensorDataset(torch.randn(rows, 2)), batch_size=10)
    logger = CSVLogger(tmp_path, "logs", version=0)
    trainer = pl.Trainer(
        max_epochs=epochs, logger=logger, accelerator="cpu", enable_checkpointing=False, enable_progress_bar=False
    )
    model = Line(logs_training)
    trainer.fit(model, loader, loader)
    before = read_curves(tmp_path / "logs" / "version_0" / "metrics.csv")
    assert len(by_epoch(before.valid_loss)) == epochs

    trainer.validate(model, loader, verbose=False)
    trainer.test(model, loader, verbose=False)
    assert read_curves(tmp_path / "logs" / "version_0" / "metrics.csv") == before
