from pathlib import Path
from typing import Literal

import lightning as L
import numpy as np
import torch
from pydantic import BaseModel, Field, PositiveInt
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class TrainingConfig(BaseModel):
    data_root: Path = Path("dataset/prepdata/v1")
    learning_rate: float = Field(default=0.004, gt=0)
    momentum: float = Field(0.9, ge=0, lt=1)
    batch_size: PositiveInt = 32
    epochs: PositiveInt = 50
    hidden: int = 56
    activation: Literal["relu", "tanh"] = "relu"
    gradient_clip: float | None = Field(default=1.0, description="norm of the gradient")


class Classifier(L.LightningModule):
    def __init__(self, config: TrainingConfig) -> None:
        super().__init__()
        self.config = config
        activation = {"relu": nn.ReLU, "tanh": nn.Tanh}[config.activation]
        self.layers = nn.Sequential(
            nn.Linear(16, config.hidden),
            activation(),
            nn.Linear(config.hidden, config.hidden),
            activation(),
            nn.Linear(config.hidden, 4),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers(x)

    def training_step(self, batch, batch_idx):
        x, y = batch
        return nn.functional.cross_entropy(self(x), y)

    def validation_step(self, batch, batch_idx):
        x, y = batch
        self.log("val_loss", nn.functional.cross_entropy(self(x), y))

    def configure_optimizers(self):
        return torch.optim.SGD(
            self.parameters(),
            lr=self.config.learning_rate,
            momentum=self.config.momentum,
        )


def loader(config: TrainingConfig, split: str) -> DataLoader:
    arrays = np.load(config.data_root / split / "signals.npz")
    data = TensorDataset(torch.from_numpy(arrays["x"]), torch.from_numpy(arrays["y"]))
    return DataLoader(data, batch_size=config.batch_size, shuffle=split == "train")


def main(config: TrainingConfig) -> None:
    L.seed_everything(99)
    trainer = L.Trainer(
        max_epochs=config.epochs,
        gradient_clip_val=config.gradient_clip,
        logger=False,
        enable_progress_bar=False,
    )
    trainer.fit(Classifier(config), loader(config, "train"), loader(config, "valid"))
    Path("config.json").write_text(config.model_dump_json())


if __name__ == "__main__":
    main(TrainingConfig())
