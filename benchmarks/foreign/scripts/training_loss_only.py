"""The shortest habit: nothing but a training step; a validation loader is there, and no validation step."""
import lightning as L
import numpy as np
import torch
from torch.utils.data import DataLoader, TensorDataset


class Data(L.LightningDataModule):
    def loader(self, split):
        d = np.load(f"dataset/prepdata/v1/{split}/data.npz")
        return DataLoader(TensorDataset(torch.tensor(d["x"]), torch.tensor(d["y"])), 32, shuffle=split == "train")

    def train_dataloader(self):
        return self.loader("train")

    def val_dataloader(self):
        return self.loader("valid")


class Net(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(16, 4)

    def forward(self, x):
        return self.layer(x)

    def training_step(self, batch, batch_idx):
        x, y = batch
        loss = torch.nn.functional.cross_entropy(self(x), y)
        self.log("train_loss", loss, on_epoch=True, prog_bar=True)
        return loss

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


if __name__ == "__main__":
    L.seed_everything(1)
    L.Trainer(max_epochs=3, enable_progress_bar=False).fit(Net(), datamodule=Data())
