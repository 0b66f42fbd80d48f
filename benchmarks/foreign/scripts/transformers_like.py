"""Fine-tuning in the transformers idiom: the model computes its own loss where it is given labels."""

from dataclasses import dataclass
from typing import Optional

import numpy as np
import torch
from lightning.pytorch import LightningModule, Trainer, seed_everything
from lightning.pytorch.callbacks import ModelCheckpoint
from torch import nn
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import DataLoader, Dataset


@dataclass
class SequenceClassifierOutput:
    loss: Optional[torch.Tensor] = None
    logits: torch.Tensor = None
    hidden_states: Optional[torch.Tensor] = None


class TinyBertConfig:
    vocab_size, hidden_size, num_labels, num_attention_heads, hidden_dropout_prob = 20, 32, 2, 2, 0.1


class TinyBertForSequenceClassification(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = config
        self.embeddings = nn.Embedding(config.vocab_size, config.hidden_size, padding_idx=0)
        self.LayerNorm = nn.LayerNorm(config.hidden_size)
        self.attention = nn.MultiheadAttention(config.hidden_size, config.num_attention_heads, batch_first=True)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)
        self.classifier = nn.Linear(config.hidden_size, config.num_labels)

    def forward(self, input_ids, attention_mask=None, labels=None):
        hidden = self.LayerNorm(self.embeddings(input_ids))
        hidden = hidden + self.attention(hidden, hidden, hidden, key_padding_mask=attention_mask == 0)[0]
        pooled = (hidden * attention_mask[..., None]).sum(1) / attention_mask.sum(1, keepdim=True)
        logits = self.classifier(self.dropout(pooled))
        loss = None
        if labels is not None:
            loss = nn.CrossEntropyLoss()(logits.view(-1, self.config.num_labels), labels.view(-1))
        return SequenceClassifierOutput(loss=loss, logits=logits, hidden_states=hidden)


class EncodedDataset(Dataset):
    def __init__(self, split):
        npz = np.load(f"dataset/prepdata/v1/{split}/data.npz")
        self.encodings = {"input_ids": npz["tokens"], "attention_mask": (npz["tokens"] != 0).astype("int64")}
        self.labels = npz["y"]

    def __getitem__(self, idx):
        item = {key: torch.tensor(val[idx]) for key, val in self.encodings.items()}
        item["labels"] = torch.tensor(self.labels[idx])
        return item

    def __len__(self):
        return len(self.labels)


class GlueLikeTransformer(LightningModule):
    def __init__(self, learning_rate=5e-3, warmup_steps=5, weight_decay=0.01, train_batch_size=16, eval_batch_size=48):
        super().__init__()
        self.save_hyperparameters()
        self.model = TinyBertForSequenceClassification(TinyBertConfig())
        self.outputs = []

    def forward(self, **inputs):
        return self.model(**inputs)

    def training_step(self, batch, batch_idx):
        return self(**batch).loss

    def validation_step(self, batch, batch_idx, dataloader_idx=0):
        outputs = self(**batch)
        self.outputs.append({"loss": outputs.loss, "preds": outputs.logits.argmax(-1), "labels": batch["labels"]})

    def on_validation_epoch_end(self):
        preds = torch.cat([x["preds"] for x in self.outputs]).numpy()
        labels = torch.cat([x["labels"] for x in self.outputs]).numpy()
        loss = torch.stack([x["loss"] for x in self.outputs]).mean()
        self.log("val_loss", loss, prog_bar=True)
        self.log("accuracy", (preds == labels).mean(), prog_bar=True)
        self.outputs.clear()

    def configure_optimizers(self):
        no_decay = ["bias", "LayerNorm.weight"]
        named = list(self.model.named_parameters())
        groups = [
            {
                "params": [p for n, p in named if not any(nd in n for nd in no_decay)],
                "weight_decay": self.hparams.weight_decay,
            },
            {"params": [p for n, p in named if any(nd in n for nd in no_decay)], "weight_decay": 0.0},
        ]
        optimizer = AdamW(groups, lr=self.hparams.learning_rate, eps=1e-8)
        total = self.trainer.estimated_stepping_batches
        warmup = self.hparams.warmup_steps
        linear = LambdaLR(optimizer, lambda s: min(s / warmup, max(0.0, (total - s) / max(1, total - warmup))))
        return [optimizer], [{"scheduler": linear, "interval": "step", "frequency": 1}]

    def train_dataloader(self):
        return DataLoader(EncodedDataset("train"), batch_size=self.hparams.train_batch_size, shuffle=True)

    def val_dataloader(self):
        return DataLoader(EncodedDataset("valid"), batch_size=self.hparams.eval_batch_size)


if __name__ == "__main__":
    seed_everything(42)
    model = GlueLikeTransformer()
    trainer = Trainer(max_epochs=3, accelerator="auto", devices=1, callbacks=[ModelCheckpoint(monitor="val_loss")])
    trainer.fit(model)
