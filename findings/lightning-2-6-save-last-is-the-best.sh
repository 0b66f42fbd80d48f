#!/bin/sh
# lightning 2.6.6 beside 2.5.6 (with torch 2.13.0): ModelCheckpoint(monitor=..., save_last=True) leaves a last.ckpt
# that is no longer of the last epoch. It is of the last epoch that was among the best.
#
# A training that is resumed from last.ckpt begins at the best epoch again, and what is compared as "the last weights"
# are the best ones. Where the watched metric is NaN from the second epoch on, last.ckpt stays at the first. The
# argument's description is the same in both versions, and nothing warns. A second ModelCheckpoint that watches nothing
# leaves the end in both.
#
# Expected: epoch 5 everywhere, after six epochs. Seen:
#
#     watches                      epoch of last.ckpt
#     lightning 2.5.6
#     a loss that rises again      5
#     a loss that becomes NaN      5
#     nothing                      5
#     lightning 2.6.6
#     a loss that rises again      2
#     a loss that becomes NaN      0
#     nothing                      5
#
# Ends with 0 where this is seen, with 1 where lightning does something else. Needs python 3.10 or later, and pip.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet torch==2.13.0 lightning==2.5.6 numpy
cd "$folder"
cat > last.py <<'PYTHON'
import logging
import math
import sys

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from torch.utils.data import DataLoader, TensorDataset

logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
LOSSES = {"rises": [3.0, 2.0, 1.0, 2.0, 3.0, 4.0], "nan": [3.0] + 5 * [math.nan]}


class Module(pl.LightningModule):
    def __init__(self, losses):
        super().__init__()
        self.layer, self.losses = torch.nn.Linear(1, 1), losses

    def training_step(self, batch, index):
        return self.layer(batch[0]).mean()

    def validation_step(self, batch, index):
        self.log("val_loss", torch.tensor(self.losses[self.current_epoch]))

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), 0.1)


def last_epoch(name, losses, checkpoint):
    loader = DataLoader(TensorDataset(torch.ones(4, 1)), batch_size=4)
    quiet = dict(logger=False, enable_progress_bar=False, enable_model_summary=False, num_sanity_val_steps=0)
    trainer = pl.Trainer(max_epochs=len(losses), accelerator="cpu", callbacks=[checkpoint], **quiet)
    trainer.fit(Module(losses), loader, loader)
    return torch.load(f"{name}/last.ckpt", weights_only=True)["epoch"]


def watching(name):
    return ModelCheckpoint(dirpath=name, monitor="val_loss", save_last=True)


seen = (
    last_epoch("rises", LOSSES["rises"], watching("rises")),
    last_epoch("nan", LOSSES["nan"], watching("nan")),
    last_epoch("nothing", LOSSES["rises"], ModelCheckpoint(dirpath="nothing", filename="last")),
)
print(f"lightning {pl.__version__}")
for name, epoch in zip(("a loss that rises again", "a loss that becomes NaN", "nothing"), seen, strict=True):
    print(f"{name:<28} {epoch}")
sys.exit(seen != tuple(map(int, sys.argv[1:])))
PYTHON
echo "watches                      epoch of last.ckpt"
other="lightning does something else now"
venv/bin/python -W ignore last.py 5 5 5 || { echo "$other"; exit 1; }
rm -rf rises nan nothing
venv/bin/pip install --quiet lightning==2.6.6
venv/bin/python -W ignore last.py 2 0 5 || { echo "$other"; exit 1; }
echo "as described"
