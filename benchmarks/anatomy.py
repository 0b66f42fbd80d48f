"""How long reading a script's anatomy takes beside compiling the same script: one ratio.

    python benchmarks/anatomy.py [--lines 1500] [--repeats 15]

Generates one training script of that length: settings, network blocks that are used one inside the other, a
LightningModule, argparse, loaders. Both sides are measured in turn, in one process; the ratio is that of the medians.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

from progtrain.script.reading.anatomy import read_anatomy

BLOCK = '''
WIDTH_{n} = WIDTH_{before} + 2
DROPOUT_{n} = DROPOUT_{before}


class Block{n}(nn.Module):
    """Two layers around what was before."""

    def __init__(self, width: int = WIDTH_{n}, dropout: float = DROPOUT_{n}) -> None:
        super().__init__()
        self.inner = Block{before}()
        self.first = nn.Linear(40, width)
        self.drop = nn.Dropout(dropout)
        self.second = nn.Linear(width, 40)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        hidden = F.relu(self.first(self.inner(x)))
        hidden = self.drop(hidden)
        return x + self.second(hidden)


def summary_{n}(values: list[float], scale: float = 1.0) -> dict[str, float]:
    """Figures that are logged."""
    total = 0.0
    for index, value in enumerate(values):
        if value > scale:
            total += value * index
    return {{"total": total, "mean": total / max(len(values), 1), "width": WIDTH_{n}}}

'''
HEAD = '''"""A long training script."""

import argparse

import lightning as L
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

LR = 0.01
WEIGHT_DECAY = 1e-4
BATCH_SIZE = 64
WIDTH_0 = 32
DROPOUT_0 = 0.1


class Block0(nn.Identity):
    pass

'''
TAIL = """
class Task(L.LightningModule):
    def __init__(self, lr: float, weight_decay: float) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.body = Block{last}()
        self.head = nn.Linear(40, 10)

    def forward(self, x):
        return self.head(self.body(x))

    def training_step(self, batch, batch_idx):
        return F.cross_entropy(self(batch[0]), batch[1], label_smoothing=0.1)

    def configure_optimizers(self):
        optimizer = torch.optim.AdamW(self.parameters(), lr=self.hparams.lr, weight_decay=self.hparams.weight_decay)
        return [optimizer], [torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=3 * LR, total_steps=500)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float, default=LR)
    parser.add_argument("--epochs", type=int, default=20)
    args = parser.parse_args()
    data = TensorDataset(torch.randn(640, 40), torch.randint(10, (640,)))
    trainer = L.Trainer(max_epochs=args.epochs, gradient_clip_val=1.0)
    trainer.fit(Task(args.lr, WEIGHT_DECAY), DataLoader(data, batch_size=BATCH_SIZE, shuffle=True))


if __name__ == "__main__":
    main()
"""


def generated(lines: int) -> str:
    """A script of about that many lines."""
    last = max(1, (lines - len((HEAD + TAIL).splitlines())) // len(BLOCK.splitlines()))
    blocks = [BLOCK.format(n=n, before=n - 1) for n in range(1, last + 1)]
    return "".join([HEAD, *blocks, TAIL.replace("{last}", str(last))])


def seconds(function: Callable[[], object]) -> float:
    begun = time.perf_counter()
    function()
    return time.perf_counter() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=1500)
    parser.add_argument("--repeats", type=int, default=15)
    options = parser.parse_args()
    source = generated(options.lines)
    reading, compiling = [], []
    for _ in range(options.repeats):
        reading.append(seconds(lambda: read_anatomy(source)))
        compiling.append(seconds(lambda: compile(source, "<generated>", "exec")))
    read, compiled = statistics.median(reading), statistics.median(compiling)
    anatomy = read_anatomy(source)
    print(f"{len(source.splitlines())} lines, {len(anatomy.occurrences)} places that set a knob")
    print(f"read_anatomy {read * 1000:8.1f} ms")
    print(f"compile      {compiled * 1000:8.1f} ms")
    print(f"ratio read_anatomy / compile: {read / compiled:.1f}")


if __name__ == "__main__":
    main()
