"""NER in the older transformers idiom: the model returns a tuple, loss first, padding labelled -100."""

import lightning.pytorch as pl
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader
from torchmetrics.classification import F1Score

LABELS = ["O", "PER", "LOC"]


class TokenClassifier(nn.Module):
    def __init__(self, vocab=20, dim=32, n_labels=len(LABELS)):
        super().__init__()
        self.num_labels = n_labels
        self.embed = nn.Embedding(vocab, dim, padding_idx=0)
        self.gru = nn.GRU(dim, dim, batch_first=True)
        self.classifier = nn.Linear(dim, n_labels)

    def forward(self, input_ids, labels=None):
        logits = self.classifier(self.gru(self.embed(input_ids))[0])
        outputs = (logits,)
        if labels is not None:
            loss_fct = nn.CrossEntropyLoss()
            loss = loss_fct(logits.view(-1, self.num_labels), labels.view(-1))
            outputs = (loss,) + outputs
        return outputs


class NERModel(pl.LightningModule):
    def __init__(self, config: dict):
        super().__init__()
        self.config = config
        self.model = TokenClassifier()
        self.f1 = F1Score(task="multiclass", num_classes=len(LABELS), average="macro", ignore_index=-100)

    def forward(self, input_ids, labels=None):
        return self.model(input_ids, labels=labels)

    def training_step(self, batch, batch_nb):
        loss = self(batch["input_ids"], batch["labels"])[0]
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch, batch_nb):
        tmp_eval_loss, logits = self(batch["input_ids"], labels=batch["labels"])
        self.f1(logits.permute(0, 2, 1), batch["labels"])
        self.log("val_loss", tmp_eval_loss)
        self.log("f1", self.f1)

    def configure_optimizers(self):
        return torch.optim.AdamW(self.parameters(), lr=self.config["lr"])


def features(split):
    npz = np.load(f"dataset/prepdata/v1/{split}/data.npz")
    labels = np.where(npz["tokens"] == 0, -100, npz["tags"] - 1)
    return [{"input_ids": torch.tensor(i), "labels": torch.tensor(l)} for i, l in zip(npz["tokens"], labels)]


if __name__ == "__main__":
    config = {"lr": 8e-3, "bs": 32, "epochs": 3}
    pl.seed_everything(2, verbose=False)
    trainer = pl.Trainer(
        max_epochs=config["epochs"],
        callbacks=[pl.callbacks.ModelCheckpoint(monitor="f1", mode="max", save_top_k=1)],
        enable_progress_bar=False,
    )
    trainer.fit(
        NERModel(config),
        DataLoader(features("train"), batch_size=config["bs"], shuffle=True),
        DataLoader(features("valid"), batch_size=config["bs"]),
    )
