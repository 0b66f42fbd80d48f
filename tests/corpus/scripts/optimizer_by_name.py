#!/usr/bin/env python
# -*- coding: utf-8 -*-
"""All of it from the command line, the optimizer by its name in torch.optim."""
from argparse import ArgumentDefaultsHelpFormatter, ArgumentParser

import numpy as np
import pytorch_lightning as pl
import torch
from torch import nn, optim
from torch.utils import data


def parse_arguments():
    p = ArgumentParser(formatter_class=ArgumentDefaultsHelpFormatter)
    p.add_argument("--path", default="dataset/prepdata/v1")
    p.add_argument("--optimizer", default="SGD", choices=("SGD", "Adam", "RMSprop"))
    p.add_argument("--lr", type=float, default=0.05)
    p.add_argument("--units", type=int, nargs="+", default=[64, 32])
    p.add_argument("-b", "--batch", type=int, default=40)
    p.add_argument("-e", "--epochs", type=int, default=14)
    return p.parse_args()


class Perceptron(pl.LightningModule):
    def __init__(self, opt):
        super().__init__()
        self.opt = opt
        sizes = [16] + opt.units
        modules = []
        for a, b in zip(sizes[:-1], sizes[1:]):
            modules.extend((nn.Linear(a, b), nn.SiLU()))
        self.hidden = nn.Sequential(*modules)
        self.out = nn.Linear(sizes[-1], 4)
        self.ce = nn.CrossEntropyLoss()

    def forward(self, inputs):
        return self.out(self.hidden(inputs))

    def training_step(self, batch, idx):
        loss = self.ce(self(batch[0]), batch[1])
        self.log("loss", loss)
        return loss

    def validation_step(self, batch, idx):
        self.log("val_loss", self.ce(self(batch[0]), batch[1]))

    def configure_optimizers(self):
        cls = getattr(optim, self.opt.optimizer)
        return cls(self.parameters(), lr=self.opt.lr)


def dataset(opt, name):
    f = np.load(opt.path + "/" + name + "/signals.npz")
    return data.TensorDataset(*[torch.from_numpy(f[k]) for k in ("x", "y")])


if __name__ == "__main__":
    opt = parse_arguments()
    pl.seed_everything(2021)
    train = data.DataLoader(dataset(opt, "train"), opt.batch, shuffle=True)
    val = data.DataLoader(dataset(opt, "valid"), opt.batch)
    trainer = pl.Trainer(max_epochs=opt.epochs, logger=False, enable_progress_bar=False)
    trainer.fit(Perceptron(opt), train, val)
