import lightning.pytorch as pl
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from lightning.pytorch.callbacks import ModelCheckpoint
from torch.utils.data import DataLoader, Dataset

HP = {"d_model": 32, "nhead": 2, "layers": 1, "lr": 5e-3, "batch_size": 32, "max_epochs": 3}


class ProteinDataset(Dataset):
    """Residues and their secondary structure; `mask` is 1 where there is a residue."""

    def __init__(self, split):
        npz = np.load(f"dataset/prepdata/v1/{split}/data.npz")
        self.seq, self.ss, self.n = npz["tokens"], npz["tags"], npz["lengths"]

    def __len__(self):
        return len(self.seq)

    def __getitem__(self, i):
        mask = (np.arange(self.seq.shape[1]) < self.n[i]).astype(np.float32)
        return {"seq": self.seq[i], "ss3": np.maximum(self.ss[i] - 1, 0), "mask": mask, "id": f"P{i:04d}"}


class SSPredictor(pl.LightningModule):
    def __init__(self, hp):
        super().__init__()
        self.save_hyperparameters(hp)
        self.embed = nn.Embedding(20, hp["d_model"])
        self.pos = nn.Parameter(torch.zeros(1, 12, hp["d_model"]))
        layer = nn.TransformerEncoderLayer(hp["d_model"], hp["nhead"], 64, dropout=0.1, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, hp["layers"], enable_nested_tensor=False)
        self.conv = nn.Conv1d(hp["d_model"], hp["d_model"], 3, padding=1)
        self.out = nn.Linear(hp["d_model"], 3)

    def forward(self, seq, mask):
        x = self.embed(seq) + self.pos
        x = self.encoder(x, src_key_padding_mask=mask == 0)
        x = x + self.conv((x * mask.unsqueeze(-1)).transpose(1, 2)).transpose(1, 2)
        return self.out(torch.relu(x))

    def masked_loss(self, logits, target, mask):
        loss = F.cross_entropy(logits.permute(0, 2, 1), target, reduction="none")
        return (loss * mask).sum() / mask.sum()

    def q3(self, logits, target, mask):
        return ((logits.argmax(-1) == target) * mask).sum() / mask.sum()

    def training_step(self, batch, _):
        logits = self(batch["seq"], batch["mask"])
        return self.masked_loss(logits, batch["ss3"], batch["mask"])

    def validation_step(self, batch, _):
        logits = self(batch["seq"], batch["mask"])
        self.log("val_loss", self.masked_loss(logits, batch["ss3"], batch["mask"]), batch_size=len(logits))
        self.log("val_Q3", self.q3(logits, batch["ss3"], batch["mask"]), batch_size=len(logits))

    def configure_optimizers(self):
        return torch.optim.AdamW(self.parameters(), lr=self.hparams.lr)


def run():
    pl.seed_everything(5)
    data = {s: DataLoader(ProteinDataset(s), HP["batch_size"], shuffle=s == "train") for s in ["train", "valid"]}
    trainer = pl.Trainer(max_epochs=HP["max_epochs"], callbacks=[ModelCheckpoint(monitor="val_loss", filename="best")])
    trainer.fit(SSPredictor(HP), data["train"], data["valid"])


run()
