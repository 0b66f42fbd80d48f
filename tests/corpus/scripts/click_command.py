from pathlib import Path

import click
import lightning as L
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Net(L.LightningModule):
    def __init__(self, lr, width, dropout):
        super().__init__()
        self.lr = lr
        self.features = nn.Sequential(
            nn.Linear(16, width),
            nn.ELU(),
            nn.Dropout(dropout),
            nn.Linear(width, width),
            nn.ELU(),
        )
        self.head = nn.Linear(width, 4)
        self.loss = nn.CrossEntropyLoss()

    def training_step(self, batch, batch_idx):
        x, y = batch
        loss = self.loss(self.head(self.features(x)), y)
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch, batch_idx):
        x, y = batch
        self.log("val_loss", self.loss(self.head(self.features(x)), y))

    def configure_optimizers(self):
        return torch.optim.NAdam(self.parameters(), lr=self.lr)


def dataset(path: Path) -> TensorDataset:
    arrays = np.load(path / "signals.npz")
    return TensorDataset(torch.from_numpy(arrays["x"]), torch.from_numpy(arrays["y"]))


@click.command()
@click.option("--data", type=click.Path(path_type=Path, exists=True), default="dataset/prepdata/v1")
@click.option("--lr", default=2e-3, show_default=True)
@click.option("--width", default=32, show_default=True)
@click.option("--dropout", default=0.1, show_default=True)
@click.option("--batch-size", default=32, show_default=True)
@click.option("--epochs", default=40, show_default=True)
@click.option("--seed", default=0)
def main(data, lr, width, dropout, batch_size, epochs, seed):
    """Train on the waves in DATA."""
    L.seed_everything(seed, verbose=False)
    trainer = L.Trainer(max_epochs=epochs, logger=False, enable_progress_bar=False)
    trainer.fit(
        Net(lr, width, dropout),
        DataLoader(dataset(data / "train"), batch_size, shuffle=True),
        DataLoader(dataset(data / "valid"), 2 * batch_size),
    )
    click.echo(f"best: {trainer.checkpoint_callback.best_model_path}")


if __name__ == "__main__":
    main()
