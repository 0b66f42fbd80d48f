"""A config class, `from_config`, a model that returns its own loss, linear schedule with warm-up (transformers-like)."""
import json
from typing import NamedTuple, Optional

import lightning as L
import torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import DataLoader


class BertishConfig:
    def __init__(self, vocab_size=40, hidden_size=24, num_labels=2, hidden_dropout_prob=0.1, pad_token_id=0):
        self.vocab_size, self.hidden_size, self.num_labels = vocab_size, hidden_size, num_labels
        self.hidden_dropout_prob, self.pad_token_id = hidden_dropout_prob, pad_token_id


class ClassifierOutput(NamedTuple):
    loss: Optional[torch.Tensor]
    logits: torch.Tensor


class BertishForSequenceClassification(nn.Module):
    @classmethod
    def from_config(cls, config):
        return cls(config)

    def __init__(self, config):
        super().__init__()
        self.config = config
        self.embeddings = nn.Embedding(config.vocab_size, config.hidden_size, padding_idx=config.pad_token_id)
        self.encoder = nn.GRU(config.hidden_size, config.hidden_size, batch_first=True)
        self.LayerNorm = nn.LayerNorm(config.hidden_size)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)
        self.classifier = nn.Linear(config.hidden_size, config.num_labels)

    def forward(self, input_ids, labels=None):
        hidden, _ = self.encoder(self.embeddings(input_ids))
        logits = self.classifier(self.dropout(self.LayerNorm(hidden.amax(1))))
        loss = nn.CrossEntropyLoss()(logits, labels) if labels is not None else None
        return ClassifierOutput(loss, logits)


class Tokenizer:
    def __init__(self, texts):
        self.vocab = {word: i for i, word in enumerate(sorted({w for t in texts for w in t.split()}), start=2)}

    def __call__(self, texts, max_length=10):
        rows = [[self.vocab.get(w, 1) for w in t.split()][:max_length] for t in texts]
        return torch.tensor([row + [0] * (max_length - len(row)) for row in rows])


def get_linear_schedule_with_warmup(optimizer, num_warmup_steps, num_training_steps):
    def lr_lambda(step):
        if step < num_warmup_steps:
            return step / max(1, num_warmup_steps)
        return max(0.0, (num_training_steps - step) / max(1, num_training_steps - num_warmup_steps))

    return LambdaLR(optimizer, lr_lambda)


class Finetuner(L.LightningModule):
    def __init__(self, model, learning_rate=5e-3, num_warmup_steps=10):
        super().__init__()
        self.model, self.learning_rate, self.num_warmup_steps = model, learning_rate, num_warmup_steps

    def training_step(self, batch, batch_idx):
        return self.model(**batch).loss

    def validation_step(self, batch, batch_idx):
        self.log("val_loss", self.model(**batch).loss, batch_size=len(batch["labels"]))

    def configure_optimizers(self):
        optimizer = torch.optim.AdamW(self.model.parameters(), lr=self.learning_rate)
        steps = self.trainer.estimated_stepping_batches
        scheduler = get_linear_schedule_with_warmup(optimizer, self.num_warmup_steps, steps)
        return [optimizer], [{"scheduler": scheduler, "interval": "step"}]


if __name__ == "__main__":
    L.seed_everything(42)
    rows = {s: [json.loads(r) for r in open(f"dataset/prepdata/v1/{s}.jsonl")] for s in ("train", "valid")}
    tokenizer = Tokenizer([row["text"] for row in rows["train"]])

    def encode(batch):
        return {"input_ids": tokenizer([b["text"] for b in batch]), "labels": torch.tensor([b["label"] for b in batch])}

    model = BertishForSequenceClassification.from_config(BertishConfig(vocab_size=len(tokenizer.vocab) + 2))
    trainer = L.Trainer(max_epochs=6, gradient_clip_val=1.0, logger=False, enable_progress_bar=False)
    trainer.fit(
        Finetuner(model),
        DataLoader(rows["train"], batch_size=16, shuffle=True, collate_fn=encode),
        DataLoader(rows["valid"], batch_size=32, collate_fn=encode),
    )
