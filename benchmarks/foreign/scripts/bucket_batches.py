from collections import defaultdict
from pathlib import Path

import lightning as L
import numpy as np
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from torch import nn
from torch.utils.data import DataLoader, Dataset, Sampler

ROOT = Path("dataset") / "prepdata" / "v1"


class Reviews(Dataset):
    def __init__(self, split):
        z = np.load(ROOT / split / "data.npz")
        self.items = [(t[:n], y) for t, n, y in zip(z["tokens"], z["lengths"], z["y"])]

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        tokens, y = self.items[i]
        return torch.as_tensor(tokens), torch.tensor(y, dtype=torch.float32)


class BucketBatchSampler(Sampler):
    """Batches of texts of the same length, so that nothing is padded."""

    def __init__(self, lengths, batch_size, shuffle):
        self.batch_size, self.shuffle, self.buckets = batch_size, shuffle, defaultdict(list)
        for i, n in enumerate(lengths):
            self.buckets[n].append(i)

    def __iter__(self):
        batches = []
        for ids in self.buckets.values():
            ids = np.random.permutation(ids).tolist() if self.shuffle else ids
            batches += [ids[i : i + self.batch_size] for i in range(0, len(ids), self.batch_size)]
        if self.shuffle:
            np.random.shuffle(batches)
        yield from batches

    def __len__(self):
        return sum(-(-len(ids) // self.batch_size) for ids in self.buckets.values())


class Sentiment(L.LightningModule):
    def __init__(self, embedding_dim=16, hidden_dim=24):
        super().__init__()
        self.save_hyperparameters()
        self.embedding = nn.Embedding(20, embedding_dim)
        self.rnn = nn.GRU(embedding_dim, hidden_dim, batch_first=True)
        self.fc = nn.Linear(hidden_dim, 1)

    def forward(self, text):
        _, hidden = self.rnn(self.embedding(text))
        return self.fc(hidden.squeeze(0))

    def binary_accuracy(self, preds, y):
        rounded_preds = torch.round(torch.sigmoid(preds))
        return (rounded_preds == y).float().mean()

    def training_step(self, batch, batch_idx):
        text, label = batch
        return nn.functional.binary_cross_entropy_with_logits(self(text).squeeze(1), label)

    def validation_step(self, batch, batch_idx):
        text, label = batch
        predictions = self(text).squeeze(1)
        loss = nn.functional.binary_cross_entropy_with_logits(predictions, label)
        self.log("val_loss", loss, on_epoch=True, batch_size=text.shape[0])
        self.log("val_acc", self.binary_accuracy(predictions, label), on_epoch=True, batch_size=text.shape[0])

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=1e-2)


if __name__ == "__main__":
    L.seed_everything(6)
    sets = {s: Reviews(s) for s in ("train", "valid")}
    loaders = {
        s: DataLoader(d, batch_sampler=BucketBatchSampler([len(t) for t, _ in d.items], 16, s == "train"))
        for s, d in sets.items()
    }
    trainer = L.Trainer(max_epochs=3, use_distributed_sampler=False, callbacks=[ModelCheckpoint(monitor="val_loss")])
    trainer.fit(Sentiment(), loaders["train"], loaders["valid"])
