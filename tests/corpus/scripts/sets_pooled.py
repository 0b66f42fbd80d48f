"""Deep sets: each value of a wave with its position is an element; the order is forgotten by a sum."""
import lightning as L
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, Subset


class ElementSets(Dataset):
    def __init__(self, split):
        z = np.load(f"dataset/prepdata/v1/{split}/signals.npz")
        position = np.broadcast_to(np.linspace(-1, 1, 16, dtype=np.float32), z["x"].shape)
        self.sets, self.labels = np.stack([z["x"], position], axis=-1), z["y"]

    def __len__(self):
        return len(self.sets)

    def __getitem__(self, i):
        return self.sets[i], self.labels[i]


def mlp(*dims):
    modules = [nn.Linear(dims[0], dims[1])]
    for i, o in zip(dims[1:], dims[2:]):
        modules += [nn.ReLU(), nn.Linear(i, o)]
    return nn.Sequential(*modules)


class DeepSets(L.LightningModule):
    def __init__(self, phi_dim=32, rho_dim=24):
        super().__init__()
        self.phi, self.rho = mlp(2, phi_dim, phi_dim), mlp(phi_dim, rho_dim, 4)

    def forward(self, elements):
        return self.rho(self.phi(elements).sum(dim=1))

    def training_step(self, batch, batch_idx):
        elements, labels = batch
        loss = nn.functional.cross_entropy(self(elements), labels)
        self.log("train_loss", loss, on_step=True, on_epoch=True)
        return loss

    def validation_step(self, batch, batch_idx):
        elements, labels = batch
        self.log("val_loss", nn.functional.cross_entropy(self(elements), labels))

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=1.5e-3)


FOLD = 0
N_FOLDS = 5

if __name__ == "__main__":
    L.seed_everything(FOLD)
    everything = ElementSets("train")
    fold = np.arange(len(everything)) % N_FOLDS
    train = Subset(everything, np.flatnonzero(fold != FOLD).tolist())
    trainer = L.Trainer(max_epochs=10, logger=False, enable_progress_bar=False)
    trainer.fit(DeepSets(), DataLoader(train, 32, shuffle=True), DataLoader(ElementSets("valid"), 32))
