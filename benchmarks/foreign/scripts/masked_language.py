"""Masked language modelling: a collator hides tokens at random, what was not hidden is labelled -100."""
import lightning.pytorch as pl
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader

MASK_TOKEN = 0


class DataCollatorForLanguageModeling:
    def __init__(self, mlm_probability=0.15):
        self.mlm_probability = mlm_probability

    def __call__(self, examples):
        inputs = torch.stack([torch.as_tensor(e) for e in examples])
        labels = inputs.clone()
        masked_indices = torch.bernoulli(torch.full(labels.shape, self.mlm_probability)).bool()
        labels[~masked_indices] = -100
        inputs[masked_indices] = MASK_TOKEN
        return {"input_ids": inputs, "labels": labels}


class MaskedLM(pl.LightningModule):
    def __init__(self, vocab=12, dim=32):
        super().__init__()
        self.embed, self.position = nn.Embedding(vocab, dim), nn.Embedding(17, dim)
        self.layer = nn.TransformerEncoderLayer(dim, 2, 64, dropout=0.0, batch_first=True)
        self.cls = nn.Linear(dim, vocab)

    def forward(self, input_ids):
        return self.cls(self.layer(self.embed(input_ids) + self.position.weight))

    def compute(self, batch):
        logits = self(batch["input_ids"])
        return nn.functional.cross_entropy(logits.view(-1, 12), batch["labels"].view(-1), ignore_index=-100)

    def training_step(self, batch, batch_idx):
        loss = self.compute(batch)
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch, batch_idx):
        self.log("valid_loss", self.compute(batch), sync_dist=True)

    def configure_optimizers(self):
        return torch.optim.AdamW(self.parameters(), lr=1e-2)


if __name__ == "__main__":
    pl.seed_everything(3)
    train, valid = (np.load(f"dataset/prepdata/v1/{s}/data.npz")["text"] for s in ("train", "valid"))
    collator = DataCollatorForLanguageModeling()
    trainer = pl.Trainer(max_epochs=3, callbacks=[pl.callbacks.ModelCheckpoint(monitor="valid_loss")])
    trainer.fit(
        MaskedLM(),
        DataLoader(train, batch_size=32, shuffle=True, collate_fn=collator),
        DataLoader(valid, batch_size=32, collate_fn=collator),
    )
