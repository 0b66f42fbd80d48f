"""Arguments that must be given; a launcher (here: the last lines) gives them."""
import argparse
import pathlib
import sys

import lightning as L
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def get_parser():
    parser = argparse.ArgumentParser(description="waves")
    parser.add_argument("data", metavar="DIR", type=pathlib.Path, help="path to the data set")
    parser.add_argument("-a", "--arch", metavar="ARCH", required=True, choices=["mlp", "linear"])
    parser.add_argument("--epochs", default=18, type=int, metavar="N")
    parser.add_argument("-b", "--batch-size", required=True, type=int)
    parser.add_argument("--lr", "--learning-rate", default=0.1, type=float, dest="lr")
    parser.add_argument("--momentum", default=0.9, type=float)
    parser.add_argument("--wd", "--weight-decay", default=1e-4, type=float, dest="weight_decay")
    parser.add_argument("--seed", type=int, default=42)
    return parser


class ImageNetLike(L.LightningModule):
    def __init__(self, arch, lr, momentum, weight_decay):
        super().__init__()
        self.arch, self.lr, self.momentum, self.weight_decay = arch, lr, momentum, weight_decay
        if arch == "mlp":
            self.model = nn.Sequential(nn.Linear(16, 40), nn.ReLU(), nn.Linear(40, 4))
        else:
            self.model = nn.Linear(16, 4)

    def forward(self, x):
        return self.model(x)

    def eval_step(self, batch, prefix):
        images, target = batch
        output = self(images)
        loss = nn.functional.cross_entropy(output, target)
        self.log(f"{prefix}_loss", loss)
        self.log(f"{prefix}_acc1", (output.argmax(1) == target).float().mean())
        return loss

    def training_step(self, batch, batch_idx):
        return self.eval_step(batch, "train")

    def validation_step(self, batch, batch_idx):
        return self.eval_step(batch, "val")

    def configure_optimizers(self):
        optimizer = torch.optim.SGD(
            self.parameters(), lr=self.lr, momentum=self.momentum, weight_decay=self.weight_decay
        )
        scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda epoch: 0.1 ** (epoch // 12))
        return [optimizer], [scheduler]


def main(args):
    L.seed_everything(args.seed)

    def loader(split):
        z = np.load(args.data / split / "signals.npz")
        data = TensorDataset(torch.from_numpy(z["x"]), torch.from_numpy(z["y"]))
        return DataLoader(data, batch_size=args.batch_size, shuffle=split == "train")

    model = ImageNetLike(args.arch, args.lr, args.momentum, args.weight_decay)
    trainer = L.Trainer(max_epochs=args.epochs, logger=False, enable_progress_bar=False)
    trainer.fit(model, loader("train"), loader("valid"))


if __name__ == "__main__":
    main(get_parser().parse_args(sys.argv[1:] or ["dataset/prepdata/v1", "-a", "mlp", "-b", "32"]))
