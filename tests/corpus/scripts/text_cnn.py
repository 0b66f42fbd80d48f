"""Sentence classification by convolutions of several widths over word vectors (Kim 2014)."""
import json
from pathlib import Path

import lightning as L
import numpy as np
import torch
from torch import nn, tensor
from torch.utils.data import DataLoader, TensorDataset

DATA, LENGTH = Path("dataset") / "prepdata" / "v1", 10
opts = dict(filters=8, widths=(2, 3), embed=12, dropout=0.5, lr=5e-3, batch=32, epochs=8)


def load(name, lookup):
    lines = (DATA / f"{name}.jsonl").read_text().splitlines()
    ids, labels = np.zeros((len(lines), LENGTH), dtype=np.int64), []
    for row, line in zip(ids, map(json.loads, lines)):
        for position, word in enumerate(line["text"].split()[:LENGTH]):
            row[position] = lookup.setdefault(word, len(lookup) + 1) if name == "train" else lookup.get(word, 0)
        labels.append(line["label"])
    return TensorDataset(tensor(ids), tensor(labels))


class TextCNN(L.LightningModule):
    def __init__(self, n_words, filters, widths, embed, dropout, lr, **_):
        super().__init__()
        self.embed = nn.Embedding(n_words + 1, embed, padding_idx=0)
        self.convs = nn.ModuleList([nn.Conv1d(embed, filters, width) for width in widths])
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(filters * len(widths), 2)
        self.lr = lr

    def forward(self, ids):
        vectors = self.embed(ids).transpose(1, 2)
        pooled = [torch.relu(conv(vectors)).amax(2) for conv in self.convs]
        return self.fc(self.dropout(torch.cat(pooled, 1)))

    def training_step(self, batch, batch_idx):
        return nn.functional.cross_entropy(self(batch[0]), batch[1])

    def validation_step(self, batch, batch_idx):
        self.log("val_loss", nn.functional.cross_entropy(self(batch[0]), batch[1]))

    def configure_optimizers(self):
        return torch.optim.Adadelta(self.parameters(), lr=100 * self.lr)


if __name__ == "__main__":
    L.seed_everything(2014)
    lookup = {}
    train, valid = load("train", lookup), load("valid", lookup)
    net = TextCNN(len(lookup), **opts)
    trainer = L.Trainer(max_epochs=opts["epochs"], logger=False, enable_progress_bar=False)
    trainer.fit(net, DataLoader(train, opts["batch"], shuffle=True), DataLoader(valid, opts["batch"]))
