"""SimCLR on small pictures: two augmented views a sample, NT-Xent over the batch."""
import lightning.pytorch as pl
import numpy as np
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset


class ContrastiveTransformations:
    def __init__(self, base_transforms, n_views=2):
        self.base_transforms, self.n_views = base_transforms, n_views

    def __call__(self, x):
        return [self.base_transforms(x) for _ in range(self.n_views)]


def jitter(x):
    return (x.roll(int(torch.randint(-1, 2, ())), dims=-1) + 0.1 * torch.randn_like(x)).flatten()


class Unlabelled(Dataset):
    def __init__(self, split, transform):
        npz = np.load(f"dataset/prepdata/v1/{split}/data.npz")
        self.data, self.labels, self.transform = torch.from_numpy(npz["x"]) / 16, npz["y"], transform

    def __len__(self):
        return len(self.data)

    def __getitem__(self, i):
        return self.transform(self.data[i]), self.labels[i]


class SimCLR(pl.LightningModule):
    def __init__(self, hidden_dim=16, lr=5e-3, temperature=0.1):
        super().__init__()
        self.save_hyperparameters()
        self.convnet = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 4 * hidden_dim))
        self.projection = nn.Sequential(nn.ReLU(), nn.Linear(4 * hidden_dim, hidden_dim))

    def forward(self, x):
        return self.convnet(x)

    def info_nce_loss(self, batch, mode="train"):
        imgs, _ = batch
        feats = self.projection(self.convnet(torch.cat(imgs, dim=0)))
        cos_sim = F.cosine_similarity(feats[:, None, :], feats[None, :, :], dim=-1)
        self_mask = torch.eye(cos_sim.shape[0], dtype=torch.bool)
        cos_sim.masked_fill_(self_mask, -9e15)
        pos_mask = self_mask.roll(shifts=cos_sim.shape[0] // 2, dims=0)
        cos_sim = cos_sim / self.hparams.temperature
        nll = -cos_sim[pos_mask] + torch.logsumexp(cos_sim, dim=-1)
        comb_sim = torch.cat([cos_sim[pos_mask][:, None], cos_sim.masked_fill(pos_mask, -9e15)], dim=-1)
        self.log(mode + "_loss", nll.mean())
        self.log(mode + "_acc_top1", (comb_sim.argsort(dim=-1, descending=True).argmin(dim=-1) == 0).float().mean())
        return nll.mean()

    def training_step(self, batch, batch_idx):
        return self.info_nce_loss(batch, mode="train")

    def validation_step(self, batch, batch_idx):
        self.info_nce_loss(batch, mode="val")

    def configure_optimizers(self):
        return torch.optim.AdamW(self.parameters(), lr=self.hparams.lr)


if __name__ == "__main__":
    pl.seed_everything(42)
    views = ContrastiveTransformations(jitter)
    trainer = pl.Trainer(max_epochs=2, callbacks=[ModelCheckpoint(monitor="val_acc_top1", mode="max")])
    trainer.fit(
        SimCLR(),
        DataLoader(Unlabelled("train", views), 60, shuffle=True, drop_last=True),
        DataLoader(Unlabelled("valid", views), 60),
    )
