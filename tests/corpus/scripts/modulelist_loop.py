import lightning as L
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Stack(L.LightningModule):
    def __init__(self, n_layers=4, d=32, p=0.1):
        super().__init__()
        self.inp = nn.Linear(16, d)
        self.layers = nn.ModuleList()
        self.norms = nn.ModuleList()
        for _ in range(n_layers):
            self.layers.append(nn.Linear(d, d))
            self.norms.append(nn.LayerNorm(d))
        self.drop = nn.Dropout(p)
        self.head = nn.Linear(d, 4)

    def forward(self, x):
        x = self.inp(x)
        for layer, norm in zip(self.layers, self.norms):
            x = x + self.drop(torch.relu(layer(norm(x))))
        return self.head(x)

    def training_step(self, batch, batch_idx):
        return nn.functional.cross_entropy(self(batch[0]), batch[1])

    def validation_step(self, batch, batch_idx):
        self.log("val_loss", nn.functional.cross_entropy(self(batch[0]), batch[1]))

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.03, momentum=0.9, nesterov=True)


def ds(split):
    a = np.load(f"dataset/prepdata/v1/{split}/signals.npz")
    return TensorDataset(*(torch.from_numpy(a[k]) for k in "xy"))


def main():
    L.seed_everything(77)
    L.Trainer(max_epochs=10, logger=False, enable_progress_bar=False).fit(
        Stack(), DataLoader(ds("train"), batch_size=32, shuffle=True), DataLoader(ds("valid"), batch_size=32)
    )


if __name__ == "__main__":
    main()
