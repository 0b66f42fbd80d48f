"""A word-level language model on the reviews, a GRU with tied weights."""
import json

import lightning as L
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

MAX_LEN = 9


class NextWord(Dataset):
    def __init__(self, path, vocab):
        texts = [json.loads(line)["text"].split() for line in open(path, encoding="utf8")]
        self.rows = torch.zeros(len(texts), MAX_LEN + 1, dtype=torch.long)
        for row, words in zip(self.rows, texts):
            ids = [vocab.get(word, 1) for word in words][: MAX_LEN + 1]
            row[: len(ids)] = torch.tensor(ids)

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, idx):
        return self.rows[idx, :-1], self.rows[idx, 1:]


class RNNModel(L.LightningModule):
    def __init__(self, ntoken, nhid=24, dropout=0.1, lr=1e-2):
        super().__init__()
        self.drop = nn.Dropout(dropout)
        self.encoder = nn.Embedding(ntoken, nhid)
        self.rnn = nn.GRU(nhid, nhid, batch_first=True)
        self.decoder = nn.Linear(nhid, ntoken)
        self.decoder.weight = self.encoder.weight
        self.lr = lr

    def forward(self, tokens):
        output, _ = self.rnn(self.drop(self.encoder(tokens)))
        return self.decoder(self.drop(output))

    def loss(self, batch):
        tokens, target = batch
        return nn.functional.cross_entropy(self(tokens).flatten(0, 1), target.flatten(), ignore_index=0)

    def training_step(self, batch, batch_idx):
        loss = self.loss(batch)
        self.log("train_ppl", loss.exp())
        return loss

    def validation_step(self, batch, batch_idx):
        loss = self.loss(batch)
        self.log("val_loss", loss)

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=self.lr)


if __name__ == "__main__":
    L.seed_everything(1111)
    folder = "dataset/prepdata/v1"
    words = sorted({w for line in open(f"{folder}/train.jsonl") for w in json.loads(line)["text"].split()})
    vocab = {word: i + 2 for i, word in enumerate(words)}
    train, valid = NextWord(f"{folder}/train.jsonl", vocab), NextWord(f"{folder}/valid.jsonl", vocab)
    trainer = L.Trainer(max_epochs=8, gradient_clip_val=0.25, logger=False, enable_progress_bar=False)
    trainer.fit(RNNModel(len(vocab) + 2), DataLoader(train, 20, shuffle=True), DataLoader(valid, 20))
