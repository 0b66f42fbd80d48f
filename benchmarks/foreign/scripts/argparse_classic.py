from argparse import ArgumentParser

import numpy as np
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import ModelCheckpoint
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset


class LitClassifier(pl.LightningModule):
    def __init__(self, hidden_dim=32, learning_rate=1e-2, **kwargs):
        super().__init__()
        self.save_hyperparameters()
        self.l1 = nn.Linear(16, self.hparams.hidden_dim)
        self.l2 = nn.Linear(self.hparams.hidden_dim, 4)

    def forward(self, x):
        return self.l2(torch.relu(self.l1(x)))

    def training_step(self, batch, batch_idx):
        x, y = batch
        return F.cross_entropy(self(x), y)

    def validation_step(self, batch, batch_idx):
        x, y = batch
        y_hat = F.log_softmax(self(x), dim=1)
        self.log("valid_loss", F.nll_loss(y_hat, y))

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=self.hparams.learning_rate)


def cli_main():
    pl.seed_everything(1234)
    parser = ArgumentParser()
    parser.add_argument("--batch_size", default=32, type=int)
    parser.add_argument("--hidden_dim", default=32, type=int)
    parser.add_argument("--learning_rate", default=0.01, type=float)
    parser.add_argument("--data", default="dataset/prepdata/v1")
    args = parser.parse_args()
    parts = []
    for split in ("train", "valid"):
        data = np.load(f"{args.data}/{split}/data.npz")
        parts.append(TensorDataset(torch.from_numpy(data["x"]), torch.from_numpy(data["y"])))
    train_loader = DataLoader(parts[0], batch_size=args.batch_size, shuffle=True)
    val_loader = DataLoader(parts[1], batch_size=args.batch_size)
    model = LitClassifier(**vars(args))
    trainer = pl.Trainer(max_epochs=3, accelerator="cpu", callbacks=[ModelCheckpoint(monitor="valid_loss")])
    trainer.fit(model, train_loader, val_loader)


if __name__ == "__main__":
    cli_main()
