"""Seq2seq that learns to copy a sequence backwards: teacher forcing, <sos> = 12, padding = 0."""

import os

import lightning.pytorch as pl
import numpy as np
import torch
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint
from torch import nn, optim
from torch.utils.data import DataLoader, Dataset

SOS, PAD, VOCAB = 12, 0, 13


class PairDataset(Dataset):
    def __init__(self, path):
        self.text = np.load(os.path.join(path, "data.npz"))["text"][:, :8]

    def __len__(self):
        return len(self.text)

    def __getitem__(self, index):
        src = self.text[index]
        length = 5 + int(src[0]) % 4
        src = np.where(np.arange(8) < length, src, PAD)
        trg = np.concatenate([[SOS], src[:length][::-1], [PAD] * (8 - length)])
        return torch.from_numpy(src), torch.from_numpy(trg.astype("int64"))


class Seq2Seq(pl.LightningModule):
    def __init__(self, emb_dim=24, hid_dim=48):
        super().__init__()
        self.embedding = nn.Embedding(VOCAB, emb_dim)
        self.encoder = nn.GRU(emb_dim, hid_dim, batch_first=True)
        self.decoder = nn.GRU(emb_dim, hid_dim, batch_first=True)
        self.fc_out = nn.Linear(hid_dim, VOCAB)
        self.criterion = nn.CrossEntropyLoss(ignore_index=PAD)

    def forward(self, src, trg):
        _, hidden = self.encoder(self.embedding(src))
        output, _ = self.decoder(self.embedding(trg), hidden)
        return self.fc_out(output)

    def _shared_step(self, batch):
        src, trg = batch
        output = self(src, trg[:, :-1])
        output_dim = output.shape[-1]
        return self.criterion(output.reshape(-1, output_dim), trg[:, 1:].reshape(-1)), output

    def training_step(self, batch, batch_idx):
        loss, _ = self._shared_step(batch)
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch, batch_idx):
        loss, output = self._shared_step(batch)
        target = batch[1][:, 1:]
        keep = target.ne(PAD)
        accuracy = output.argmax(-1).eq(target).masked_select(keep).float().mean()
        self.log_dict({"val_loss": loss, "val_token_accuracy": accuracy}, prog_bar=True)

    def configure_optimizers(self):
        return optim.Adam(self.parameters(), lr=0.01)


if __name__ == "__main__":
    pl.seed_everything(1234)
    root = "dataset/prepdata/v1"
    train_iterator = DataLoader(PairDataset(f"{root}/train"), batch_size=24, shuffle=True)
    valid_iterator = DataLoader(PairDataset(f"{root}/valid"), batch_size=24)
    trainer = pl.Trainer(
        max_epochs=3,
        gradient_clip_val=1,
        callbacks=[ModelCheckpoint(monitor="val_loss"), EarlyStopping(monitor="val_loss", patience=3)],
        enable_progress_bar=False,
    )
    trainer.fit(Seq2Seq(), train_iterator, valid_iterator)
