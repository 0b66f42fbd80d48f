"""No activation or dropout modules: everything functional, in forward."""
import lightning as L
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

learning_rate = 0.02
drop_rate = 0.2


class Functional(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv1d(1, 8, 3, padding=1)
        self.conv2 = nn.Conv1d(8, 16, 3, padding=1)
        self.fc1 = nn.Linear(16 * 4, 32)
        self.fc2 = nn.Linear(32, 4)

    def forward(self, x):
        x = x[:, None]
        x = F.max_pool1d(F.relu(self.conv1(x)), 2)
        x = F.max_pool1d(F.relu(self.conv2(x)), 2)
        x = x.flatten(1)
        x = F.dropout(F.relu(self.fc1(x)), p=drop_rate, training=self.training)
        return F.log_softmax(self.fc2(x), dim=1)

    def training_step(self, batch, batch_nb):
        data, target = batch
        loss = F.nll_loss(self(data), target)
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch, batch_nb):
        data, target = batch
        output = self(data)
        self.log("val_loss", F.nll_loss(output, target))

    def configure_optimizers(self):
        return torch.optim.Adadelta(self.parameters(), lr=learning_rate)


if __name__ == "__main__":
    torch.manual_seed(1)
    train, valid = (
        TensorDataset(torch.from_numpy(f["x"]), torch.from_numpy(f["y"]))
        for f in (np.load(f"dataset/prepdata/v1/{s}/signals.npz") for s in ("train", "valid"))
    )
    kwargs = {"batch_size": 32, "num_workers": 0}
    trainer = L.Trainer(max_epochs=8, logger=False, enable_progress_bar=False)
    trainer.fit(Functional(), DataLoader(train, shuffle=True, **kwargs), DataLoader(valid, **kwargs))
