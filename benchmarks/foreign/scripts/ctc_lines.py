"""CRNN for text lines, trained with CTC."""

import json
from pathlib import Path

import lightning.pytorch as pl
import numpy as np
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from torch import nn
from torch.utils.data import DataLoader, Dataset

ROOT = Path("dataset/prepdata/v1")
CHARS = json.loads((ROOT / "stats.json").read_text())["vocabulary"]
BLANK = 0
EPOCHS, BATCH_SIZE = 3, 16


class LineDataset(Dataset):
    def __init__(self, split):
        with np.load(ROOT / split / "data.npz") as f:
            self.frames, self.codes, self.lengths = f["x"], f["y"], f["lengths"]

    def __len__(self):
        return len(self.frames)

    def __getitem__(self, i):
        return torch.from_numpy(self.frames[i]), torch.from_numpy(self.codes[i, : self.lengths[i]])


def collate(batch):
    frames, codes = zip(*batch)
    target_lengths = torch.tensor([len(c) for c in codes])
    return torch.stack(frames), nn.utils.rnn.pad_sequence(codes, batch_first=True), target_lengths


class CRNN(pl.LightningModule):
    def __init__(self, n_chars=len(CHARS) + 1, hidden=48, lr=5e-3):
        super().__init__()
        self.save_hyperparameters()
        self.conv = nn.Conv1d(8, hidden, kernel_size=3, padding=1)
        self.rnn = nn.GRU(hidden, hidden, bidirectional=True, batch_first=True)
        self.fc = nn.Linear(2 * hidden, n_chars)
        self.ctc_loss = nn.CTCLoss(blank=BLANK, zero_infinity=True)

    def forward(self, x):
        x = torch.relu(self.conv(x.transpose(1, 2))).transpose(1, 2)
        x, _ = self.rnn(x)
        return self.fc(x)

    def _step(self, batch):
        x, y, target_lengths = batch
        logits = self(x)
        log_probs = logits.log_softmax(2).permute(1, 0, 2)  # T, N, C
        input_lengths = torch.full((x.size(0),), log_probs.size(0), dtype=torch.long)
        return logits, self.ctc_loss(log_probs, y, input_lengths, target_lengths)

    def training_step(self, batch, batch_idx):
        _, loss = self._step(batch)
        self.log("train_loss", loss, prog_bar=True)
        return loss

    def decode(self, logits):
        texts = []
        for row in logits.argmax(-1).tolist():
            kept = [c for i, c in enumerate(row) if c != BLANK and (i == 0 or c != row[i - 1])]
            texts.append("".join(CHARS[c - 1] for c in kept))
        return texts

    def validation_step(self, batch, batch_idx):
        logits, loss = self._step(batch)
        truths = ["".join(CHARS[c - 1] for c in row[:n].tolist()) for row, n in zip(batch[1], batch[2])]
        correct = sum(p == t for p, t in zip(self.decode(logits), truths))
        self.log("val_loss", loss, prog_bar=True)
        self.log("val_exact", correct / len(truths))

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), self.hparams.lr)


if __name__ == "__main__":
    pl.seed_everything(3)
    trainer = pl.Trainer(
        max_epochs=EPOCHS,
        gradient_clip_val=5.0,
        callbacks=[ModelCheckpoint(monitor="val_loss", save_top_k=1)],
        enable_progress_bar=False,
    )
    trainer.fit(
        CRNN(),
        DataLoader(LineDataset("train"), BATCH_SIZE, shuffle=True, collate_fn=collate),
        DataLoader(LineDataset("valid"), BATCH_SIZE, collate_fn=collate),
    )
