"""A generic LightningModule around a plain network; loss and optimizer are handed in."""
from functools import partial

import lightning as L
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Backbone(nn.Module):
    def __init__(self, in_features, hidden, out_features):
        super().__init__()
        self.fc_in = nn.Linear(in_features, hidden)
        self.fc_mid = nn.Linear(hidden, hidden)
        self.fc_out = nn.Linear(hidden, out_features)
        self.relu = nn.ReLU()

    def forward(self, x):
        h = self.relu(self.fc_in(x))
        h = self.relu(self.fc_mid(h))
        return self.fc_out(h)


class Wrapper(L.LightningModule):
    def __init__(self, model, loss_fn, make_optimizer):
        super().__init__()
        self.model, self.loss_fn, self.make_optimizer = model, loss_fn, make_optimizer

    def training_step(self, batch, batch_idx):
        *inputs, target = batch
        loss = self.loss_fn(self.model(*inputs), target)
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch, batch_idx):
        *inputs, target = batch
        self.log("val_loss", self.loss_fn(self.model(*inputs), target))

    def configure_optimizers(self):
        return self.make_optimizer(self.parameters())


def loader(split, batch_size):
    arrays = np.load(f"dataset/prepdata/v1/{split}/signals.npz")
    dataset = TensorDataset(torch.from_numpy(arrays["x"]), torch.from_numpy(arrays["y"]))
    return DataLoader(dataset, batch_size=batch_size, shuffle=split == "train")


def main():
    L.seed_everything(33)
    task = Wrapper(Backbone(16, 48, 4), nn.CrossEntropyLoss(), partial(torch.optim.SGD, lr=0.02, momentum=0.9))
    trainer = L.Trainer(max_epochs=15, logger=False, enable_progress_bar=False)
    trainer.fit(task, loader("train", 32), loader("valid", 96))


if __name__ == "__main__":
    main()
