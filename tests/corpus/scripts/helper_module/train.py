"""The network and the data live in a module beside the script."""
import argparse

import lightning as L
import torch
from wave_parts import WaveData, make_network
from wave_parts import accuracy as acc

import wave_parts as parts


class Task(L.LightningModule):
    def __init__(self, lr: float, hidden: int, dropout: float):
        super().__init__()
        self.save_hyperparameters()
        self.network = make_network(hidden, dropout)

    def training_step(self, batch, batch_idx):
        x, y = batch
        scores = self.network(x)
        self.log("train_acc", acc(scores, y))
        return parts.loss(scores, y)

    def validation_step(self, batch, batch_idx):
        x, y = batch
        scores = self.network(x)
        self.log("val_loss", parts.loss(scores, y))
        self.log("val_acc", acc(scores, y))

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=self.hparams.lr)


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--hidden", type=int, default=48)
    parser.add_argument("--dropout", type=float, default=0.3)
    parser.add_argument("-b", "--batch-size", type=int, default=32)
    parser.add_argument("-e", "--epochs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=9)
    return parser.parse_args()


def main():
    args = parse()
    L.seed_everything(args.seed)
    task = Task(args.lr, args.hidden, args.dropout)
    trainer = L.Trainer(max_epochs=args.epochs, logger=False, enable_progress_bar=False)
    trainer.fit(task, datamodule=WaveData(args.batch_size))


if __name__ == "__main__":
    main()
