#!/usr/bin/env python3
import argparse
import os
import sys

import numpy as np
import torch
import torch.nn as nn
import torch.optim as optim
from pytorch_lightning import LightningModule, Trainer, seed_everything
from pytorch_lightning.callbacks import EarlyStopping, ModelCheckpoint
from torch.utils.data import DataLoader, TensorDataset


class Model(LightningModule):
    @staticmethod
    def add_model_specific_args(parent_parser):
        parser = parent_parser.add_argument_group("Model")
        parser.add_argument("--hidden_dim", type=int, default=64)
        parser.add_argument("--learning_rate", default=1e-3, type=float)
        parser.add_argument("--weight_decay", default=0.0, type=float)
        parser.add_argument("--drop_prob", default=0.2, type=float)
        return parent_parser

    def __init__(self, args):
        super().__init__()
        self.save_hyperparameters(args)
        self.c_d1 = nn.Linear(16, self.hparams.hidden_dim)
        self.c_d1_bn = nn.BatchNorm1d(self.hparams.hidden_dim)
        self.c_d1_drop = nn.Dropout(self.hparams.drop_prob)
        self.c_d2 = nn.Linear(self.hparams.hidden_dim, 4)

    def forward(self, x):
        x = self.c_d1(x)
        x = torch.tanh(x)
        x = self.c_d1_bn(x)
        x = self.c_d1_drop(x)
        x = self.c_d2(x)
        return x

    def loss(self, labels, logits):
        return nn.functional.cross_entropy(logits, labels)

    def training_step(self, batch, batch_idx):
        x, y = batch
        y_hat = self.forward(x)
        loss_val = self.loss(y, y_hat)
        return {"loss": loss_val, "progress_bar": {"train_loss": loss_val}}

    def validation_step(self, batch, batch_idx):
        x, y = batch
        self.log("val_loss", self.loss(y, self(x)))

    def configure_optimizers(self):
        optimizer = optim.Adam(
            self.parameters(), lr=self.hparams.learning_rate, weight_decay=self.hparams.weight_decay
        )
        return [optimizer]


def loader(args, split):
    z = np.load(os.path.join(args.data_dir, split, "signals.npz"))
    return DataLoader(
        TensorDataset(torch.from_numpy(z["x"]), torch.from_numpy(z["y"])),
        batch_size=args.batch_size,
        num_workers=args.num_workers,
        shuffle=(split == "train"),
    )


def main(args):
    seed_everything(args.seed)
    model = Model(args)
    trainer = Trainer(
        max_epochs=args.max_epochs,
        accumulate_grad_batches=args.accumulate,
        gradient_clip_val=args.clip or None,
        enable_progress_bar=False,
        callbacks=[
            EarlyStopping("val_loss", patience=args.patience),
            ModelCheckpoint(dirpath="Models/Artifacts/baseline", filename="best", monitor="val_loss", save_last=True),
        ],
    )
    trainer.fit(model, loader(args, "train"), loader(args, "valid"))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--data_dir", default=os.path.join("dataset", "prepdata", "v1"))
    parser.add_argument("--batch_size", default=16, type=int)
    parser.add_argument("--num_workers", default=0, type=int)
    parser.add_argument("--max_epochs", default=15, type=int)
    parser.add_argument("--patience", default=5, type=int)
    parser.add_argument("--accumulate", default=2, type=int)
    parser.add_argument("--clip", default=0.0, type=float)
    parser.add_argument("--seed", default=1234, type=int)
    parser = Model.add_model_specific_args(parser)
    sys.exit(main(parser.parse_args()))
