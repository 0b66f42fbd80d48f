"""Batches are dictionaries, as with Hugging Face data sets; the model returns one too."""
import json
from collections import Counter
from pathlib import Path

import lightning as L
import torch
from torch import nn
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader

DATASET_ID = "v1"
DATA = Path(f"dataset/prepdata/{DATASET_ID}")
BATCH_SIZE = 32
EMBEDDING_DIM = 24
LEARNING_RATE = 5e-3
MAX_EPOCHS = 12


def read(split):
    return [json.loads(line) for line in (DATA / f"{split}.jsonl").open(encoding="utf-8")]


def build_vocab(rows):
    counts = Counter(word for row in rows for word in row["text"].split())
    return {word: i + 2 for i, (word, _) in enumerate(sorted(counts.items()))}


class Collate:
    def __init__(self, vocab):
        self.vocab = vocab

    def __call__(self, rows):
        ids = [torch.tensor([self.vocab.get(w, 1) for w in row["text"].split()]) for row in rows]
        input_ids = pad_sequence(ids, batch_first=True)
        return {
            "input_ids": input_ids,
            "attention_mask": (input_ids != 0).long(),
            "labels": torch.tensor([row["label"] for row in rows]),
        }


class SentimentModel(L.LightningModule):
    def __init__(self, vocab_size, embedding_dim=EMBEDDING_DIM, lr=LEARNING_RATE):
        super().__init__()
        self.save_hyperparameters()
        self.embedding = nn.Embedding(vocab_size, embedding_dim, padding_idx=0)
        self.classifier = nn.Sequential(
            nn.Linear(embedding_dim, embedding_dim),
            nn.ReLU(),
            nn.Linear(embedding_dim, 2),
        )

    def forward(self, input_ids, attention_mask, labels=None):
        mask = attention_mask.unsqueeze(-1)
        pooled = (self.embedding(input_ids) * mask).sum(1) / mask.sum(1)
        logits = self.classifier(pooled)
        output = {"logits": logits}
        if labels is not None:
            output["loss"] = nn.functional.cross_entropy(logits, labels)
        return output

    def training_step(self, batch, batch_idx):
        output = self(**batch)
        self.log("train_loss", output["loss"])
        return output

    def validation_step(self, batch, batch_idx):
        self.log("val_loss", self(**batch)["loss"], batch_size=len(batch["labels"]))

    def configure_optimizers(self):
        return torch.optim.RMSprop(self.parameters(), lr=self.hparams.lr)


def main():
    L.seed_everything(17)
    train, valid = read("train"), read("valid")
    vocab = build_vocab(train)
    collate = Collate(vocab)
    train_loader = DataLoader(train, batch_size=BATCH_SIZE, shuffle=True, collate_fn=collate)
    valid_loader = DataLoader(valid, batch_size=BATCH_SIZE, collate_fn=collate)
    trainer = L.Trainer(max_epochs=MAX_EPOCHS, logger=False, enable_progress_bar=False)
    trainer.fit(SentimentModel(len(vocab) + 2), train_loader, valid_loader)
    Path("vocab.json").write_text(json.dumps(vocab))


if __name__ == "__main__":
    main()
