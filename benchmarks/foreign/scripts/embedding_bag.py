"""Text classification after the torchtext tutorials: one flat tensor of tokens and the offset of each text."""

import lightning as L
import numpy as np
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from torch import nn
from torch.utils.data import DataLoader


def yield_texts(split):
    npz = np.load(f"dataset/prepdata/v1/{split}/data.npz")
    for label, tokens, length in zip(npz["y"], npz["tokens"], npz["lengths"]):
        yield int(label), tokens[:length].tolist()


def collate_batch(batch):
    label_list, text_list, offsets = [], [], [0]
    for _label, _text in batch:
        label_list.append(_label)
        processed_text = torch.tensor(_text, dtype=torch.int64)
        text_list.append(processed_text)
        offsets.append(processed_text.size(0))
    label_list = torch.tensor(label_list, dtype=torch.int64)
    offsets = torch.tensor(offsets[:-1]).cumsum(dim=0)
    return label_list, torch.cat(text_list), offsets


class TextClassificationModel(L.LightningModule):
    def __init__(self, vocab_size, embed_dim, num_class):
        super().__init__()
        self.embedding = nn.EmbeddingBag(vocab_size, embed_dim, sparse=False)
        self.fc = nn.Linear(embed_dim, num_class)
        self.init_weights()

    def init_weights(self):
        initrange = 0.5
        self.embedding.weight.data.uniform_(-initrange, initrange)
        self.fc.weight.data.uniform_(-initrange, initrange)
        self.fc.bias.data.zero_()

    def forward(self, text, offsets):
        return self.fc(self.embedding(text, offsets))

    def training_step(self, batch, idx):
        label, text, offsets = batch
        return nn.functional.cross_entropy(self(text, offsets), label)

    def validation_step(self, batch, idx):
        label, text, offsets = batch
        predicted_label = self(text, offsets)
        self.log("val_loss", nn.functional.cross_entropy(predicted_label, label), batch_size=len(label))
        self.log("val_acc", (predicted_label.argmax(1) == label).float().mean(), batch_size=len(label))

    def configure_optimizers(self):
        optimizer = torch.optim.SGD(self.parameters(), lr=2.0)
        return [optimizer], [torch.optim.lr_scheduler.StepLR(optimizer, 1.0, gamma=0.5)]


if __name__ == "__main__":
    torch.manual_seed(0)
    train_dataloader = DataLoader(list(yield_texts("train")), batch_size=16, shuffle=True, collate_fn=collate_batch)
    valid_dataloader = DataLoader(list(yield_texts("valid")), batch_size=16, shuffle=False, collate_fn=collate_batch)
    trainer = L.Trainer(
        max_epochs=3,
        gradient_clip_val=0.1,
        callbacks=[ModelCheckpoint(monitor="val_loss", dirpath="ckpt")],
        enable_progress_bar=False,
    )
    trainer.fit(TextClassificationModel(20, 16, 2), train_dataloader, valid_dataloader)
