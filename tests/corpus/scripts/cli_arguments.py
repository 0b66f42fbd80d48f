import lightning as L
import torch
from lightning.pytorch.cli import LightningCLI
from lightning.pytorch.demos.boring_classes import RandomDataset


class Squares(L.LightningDataModule):
    def __init__(self, batch_size: int = 16):
        super().__init__()
        self.batch_size = batch_size

    def setup(self, stage=None):
        generator = torch.Generator().manual_seed(3)
        x = torch.randn(400, 8, generator=generator)
        data = torch.utils.data.TensorDataset(x, x.square().sum(1, keepdim=True))
        self.fit_set, self.val_set = torch.utils.data.random_split(data, [320, 80], generator)

    def train_dataloader(self):
        return torch.utils.data.DataLoader(self.fit_set, batch_size=self.batch_size, shuffle=True)

    def val_dataloader(self):
        return torch.utils.data.DataLoader(self.val_set, batch_size=self.batch_size)


class Regressor(L.LightningModule):
    def __init__(self, width: int = 24, depth: int = 2):
        super().__init__()
        layers = [torch.nn.Linear(8, width), torch.nn.GELU()]
        for _ in range(depth - 1):
            layers += [torch.nn.Linear(width, width), torch.nn.GELU()]
        self.body = torch.nn.Sequential(*layers, torch.nn.Linear(width, 1))

    def training_step(self, batch, batch_idx):
        return torch.nn.functional.mse_loss(self.body(batch[0]), batch[1])

    def validation_step(self, batch, batch_idx):
        self.log("val_loss", torch.nn.functional.mse_loss(self.body(batch[0]), batch[1]))


# the optimizer comes from the command line
ARGS = [
    "fit",
    "--seed_everything=1",
    "--trainer.max_epochs=10",
    "--trainer.enable_progress_bar=false",
    "--trainer.logger=false",
    "--optimizer=Adam",
    "--optimizer.lr=0.005",
    "--data.batch_size=32",
]

if __name__ == "__main__":
    LightningCLI(Regressor, Squares, args=ARGS, save_config_callback=None)
