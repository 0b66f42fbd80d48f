"""A loss written out in tensor operations, weights made with nn.Parameter, a fast optimizer with a closure."""
import lightning as L
import numpy as np
import torch
from torch.utils.data import DataLoader, TensorDataset


class SoftmaxRegression(L.LightningModule):
    def __init__(self, n_features=16, n_classes=4, lr=0.5):
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.w = torch.nn.Parameter(0.01 * torch.randn(n_features, n_classes, generator=generator))
        self.b = torch.nn.Parameter(torch.zeros(n_classes))
        self.lr = lr

    def forward(self, x):
        return x @ self.w + self.b

    def loss(self, x, y):
        scores = self(x)
        log_z = torch.logsumexp(scores, dim=1)
        picked = scores.gather(1, y[:, None]).squeeze(1)
        return (log_z - picked).mean() + 1e-4 * self.w.pow(2).sum()

    def training_step(self, batch, batch_idx):
        loss = self.loss(*batch)
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch, batch_idx):
        self.log("val_loss", self.loss(*batch))

    def configure_optimizers(self):
        return torch.optim.LBFGS(self.parameters(), lr=self.lr, max_iter=4)


def full_batch(split):
    z = np.load(f"dataset/prepdata/v1/{split}/signals.npz")
    ds = TensorDataset(torch.from_numpy(z["x"]), torch.from_numpy(z["y"]))
    return DataLoader(ds, batch_size=len(ds))


if __name__ == "__main__":
    torch.manual_seed(0)
    trainer = L.Trainer(max_epochs=15, log_every_n_steps=1, logger=False, enable_progress_bar=False)
    trainer.fit(SoftmaxRegression(), full_batch("train"), full_batch("valid"))
