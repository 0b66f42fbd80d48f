"""Tag every word of a review: praise, blame or neither. Padded batches, padding not counted."""
import json

import lightning as L
import torch
from torch import nn
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader

GOOD, BAD = {"bright", "warm", "lovely", "sharp"}, {"dull", "cold", "broken", "slow"}
TAGS = ["O", "GOOD", "BAD"]
PAD, UNK = 0, 1


def tag(word):
    return 1 if word in GOOD else 2 if word in BAD else 0


class Corpus:
    def __init__(self, directory):
        self.word2id = {"<pad>": PAD, "<unk>": UNK}
        self.train = self.tokenize(f"{directory}/train.jsonl", grow=True)
        self.valid = self.tokenize(f"{directory}/valid.jsonl")

    def tokenize(self, path, grow=False):
        sentences = []
        for line in open(path):
            words = json.loads(line)["text"].split()
            if grow:
                for word in words:
                    self.word2id.setdefault(word, len(self.word2id))
            ids = torch.tensor([self.word2id.get(word, UNK) for word in words])
            sentences.append((ids, torch.tensor([tag(word) for word in words])))
        return sentences


def collate_fn(batch):
    ids, tags = zip(*batch)
    return pad_sequence(ids, batch_first=True), pad_sequence(tags, batch_first=True, padding_value=-100)


class BiLSTMTagger(L.LightningModule):
    def __init__(self, vocab_size, embedding_dim=16, hidden_dim=24, n_tags=3):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embedding_dim, padding_idx=PAD)
        self.lstm = nn.LSTM(embedding_dim, hidden_dim, bidirectional=True, batch_first=True)
        self.hidden2tag = nn.Linear(2 * hidden_dim, n_tags)
        self.criterion = nn.CrossEntropyLoss(ignore_index=-100)

    def forward(self, sentences):
        hidden, _ = self.lstm(self.embedding(sentences))
        return self.hidden2tag(hidden)

    def training_step(self, batch, batch_idx):
        sentences, tags = batch
        loss = self.criterion(self(sentences).transpose(1, 2), tags)
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch, batch_idx):
        sentences, tags = batch
        self.log("val_loss", self.criterion(self(sentences).transpose(1, 2), tags))

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.5)


if __name__ == "__main__":
    L.seed_everything(1)
    corpus = Corpus("dataset/prepdata/v1")
    model = BiLSTMTagger(len(corpus.word2id))
    trainer = L.Trainer(max_epochs=7, logger=False, enable_progress_bar=False)
    trainer.fit(
        model,
        DataLoader(corpus.train, batch_size=16, shuffle=True, collate_fn=collate_fn),
        DataLoader(corpus.valid, batch_size=32, collate_fn=collate_fn),
    )
