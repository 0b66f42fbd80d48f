import lightning as L
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

DEBUG = False
BATCH_SIZE = 256 if torch.cuda.is_available() else 32
EPOCHS = 1 if DEBUG else 12
if torch.cuda.is_available():
    PRECISION, LR = "16-mixed", 4e-3
else:
    PRECISION, LR = "32-true", 2e-3
HIDDEN = {"small": 24, "large": 96}["small" if not torch.cuda.is_available() else "large"]


class Net(L.LightningModule):
    def __init__(self, use_bn=True):
        super().__init__()
        layers = [nn.Linear(16, HIDDEN)]
        if use_bn:
            layers.append(nn.BatchNorm1d(HIDDEN))
        layers += [nn.ReLU(inplace=True), nn.Linear(HIDDEN, 4)]
        self.net = nn.Sequential(*layers)

    def forward(self, x):
        return self.net(x)

    def step(self, batch, name):
        loss = nn.functional.cross_entropy(self(batch[0]), batch[1])
        self.log(name, loss)
        return loss

    def training_step(self, batch, batch_idx):
        return self.step(batch, "train_loss")

    def validation_step(self, batch, batch_idx):
        return self.step(batch, "val_loss")

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=LR if not DEBUG else 1e-1)


def loader(split):
    z = np.load(f"dataset/prepdata/v1/{split}/signals.npz")
    data = TensorDataset(torch.from_numpy(z["x"]), torch.from_numpy(z["y"]))
    return DataLoader(data, batch_size=BATCH_SIZE, shuffle=True if split == "train" else False)


if __name__ == "__main__":
    L.seed_everything(42)
    trainer = L.Trainer(max_epochs=EPOCHS, precision=PRECISION, logger=False, enable_progress_bar=False)
    trainer.fit(Net(), loader("train"), loader("valid"))
