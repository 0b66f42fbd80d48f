# BiLSTM tagger: packed sequences, padding is class 0 and is ignored
import lightning as L
import numpy as np
import torch
import torch.nn as nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence
from torch.utils.data import DataLoader

PAD_IDX = 0


def read_split(split, root="dataset/prepdata/v1"):
    npz = np.load(f"{root}/{split}/data.npz")
    return [
        (torch.tensor(t[:n]), torch.tensor(g[:n]))
        for t, g, n in zip(npz["tokens"], npz["tags"], npz["lengths"].tolist())
    ]


def pad_collate(batch):
    xx, yy = zip(*batch)
    x_lens = torch.tensor([len(x) for x in xx])
    return (
        pad_sequence(xx, batch_first=True, padding_value=PAD_IDX),
        pad_sequence(yy, batch_first=True, padding_value=PAD_IDX),
        x_lens,
    )


class LSTMTagger(L.LightningModule):
    def __init__(self, vocab_size=20, tagset_size=4, embedding_dim=24, hidden_dim=32, learning_rate=1e-2):
        super().__init__()
        self.save_hyperparameters()
        self.word_embeddings = nn.Embedding(vocab_size, embedding_dim, padding_idx=PAD_IDX)
        self.lstm = nn.LSTM(embedding_dim, hidden_dim, batch_first=True, bidirectional=True)
        self.hidden2tag = nn.Linear(2 * hidden_dim, tagset_size)
        self.criterion = nn.CrossEntropyLoss(ignore_index=PAD_IDX)

    def forward(self, sentences, lengths):
        embeds = self.word_embeddings(sentences)
        packed = pack_padded_sequence(embeds, lengths.cpu(), batch_first=True, enforce_sorted=False)
        out, _ = self.lstm(packed)
        out, _ = pad_packed_sequence(out, batch_first=True)
        return self.hidden2tag(out)

    def shared_step(self, batch, name):
        sentences, tags, lengths = batch
        tag_scores = self(sentences, lengths)
        loss = self.criterion(tag_scores.view(-1, tag_scores.shape[-1]), tags.view(-1))
        keep = tags != PAD_IDX
        accuracy = (tag_scores.argmax(-1)[keep] == tags[keep]).float().mean()
        self.log(f"{name}_loss", loss, batch_size=len(lengths))
        self.log(f"{name}_token_acc", accuracy, batch_size=len(lengths))
        return loss

    def training_step(self, batch, batch_idx):
        return self.shared_step(batch, "train")

    def validation_step(self, batch, batch_idx):
        return self.shared_step(batch, "val")

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=self.hparams.learning_rate)


if __name__ == "__main__":
    L.seed_everything(11)
    train_dl = DataLoader(read_split("train"), batch_size=16, shuffle=True, collate_fn=pad_collate)
    val_dl = DataLoader(read_split("valid"), batch_size=16, collate_fn=pad_collate)
    trainer = L.Trainer(max_epochs=3, enable_progress_bar=False)
    trainer.fit(LSTMTagger(), train_dl, val_dl)
