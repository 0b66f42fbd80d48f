import lightning.pytorch as pl
import numpy as np
import torch
import torch.nn.functional as F
from lightning.pytorch.callbacks import ModelCheckpoint
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Digits(Dataset):
    def __init__(self, split):
        npz = np.load(f"dataset/prepdata/v1/{split}/data.npz")
        self.x, self.y = torch.from_numpy(npz["x"]).float() / 16, torch.from_numpy(npz["y"])

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        return self.x[i].flatten(), self.y[i]


class VAE(pl.LightningModule):
    def __init__(self, latent_dim=8, kl_coeff=0.1, lr=3e-3):
        super().__init__()
        self.save_hyperparameters()
        self.encoder = nn.Sequential(nn.Linear(64, 48), nn.ReLU())
        self.fc_mu, self.fc_var = nn.Linear(48, latent_dim), nn.Linear(48, latent_dim)
        self.decoder = nn.Sequential(nn.Linear(latent_dim, 48), nn.ReLU(), nn.Linear(48, 64), nn.Sigmoid())

    def forward(self, x):
        x = self.encoder(x)
        return self.decoder(self.fc_mu(x))

    def sample(self, mu, log_var):
        std = torch.exp(log_var / 2)
        p = torch.distributions.Normal(torch.zeros_like(mu), torch.ones_like(std))
        q = torch.distributions.Normal(mu, std)
        return p, q, q.rsample()

    def step(self, batch, batch_idx):
        x, _ = batch
        h = self.encoder(x)
        p, q, z = self.sample(self.fc_mu(h), self.fc_var(h))
        recon_loss = F.mse_loss(self.decoder(z), x, reduction="mean")
        kl = torch.distributions.kl_divergence(q, p).mean() * self.hparams.kl_coeff
        loss = kl + recon_loss
        return loss, {"recon_loss": recon_loss, "kl": kl, "loss": loss}

    def training_step(self, batch, batch_idx):
        loss, logs = self.step(batch, batch_idx)
        self.log_dict({f"train_{k}": v for k, v in logs.items()})
        return loss

    def validation_step(self, batch, batch_idx):
        loss, logs = self.step(batch, batch_idx)
        self.log_dict({f"val_{k}": v for k, v in logs.items()})
        return loss

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=self.hparams.lr)


if __name__ == "__main__":
    pl.seed_everything(4)
    train, valid = (DataLoader(Digits(s), 30, shuffle=s == "train") for s in ("train", "valid"))
    pl.Trainer(max_epochs=3, callbacks=[ModelCheckpoint(monitor="val_loss")], enable_progress_bar=False).fit(
        VAE(), train, valid
    )
