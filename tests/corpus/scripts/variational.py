"""A VAE of waves, the reparametrisation trick in forward, KL by hand."""
import lightning as L
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


class WavesOnly(Dataset):
    def __init__(self, file):
        self.waves = torch.from_numpy(np.load(file)["x"])

    def __len__(self):
        return len(self.waves)

    def __getitem__(self, i):
        return self.waves[i]


class VAE(L.LightningModule):
    def __init__(self, enc_out_dim=24, latent_dim=4, kl_coeff=0.1, lr=1e-3):
        super().__init__()
        self.kl_coeff, self.lr = kl_coeff, lr
        self.encoder = nn.Sequential(nn.Linear(16, enc_out_dim), nn.ReLU())
        self.fc_mu, self.fc_var = nn.Linear(enc_out_dim, latent_dim), nn.Linear(enc_out_dim, latent_dim)
        self.decoder = nn.Sequential(nn.Linear(latent_dim, enc_out_dim), nn.ReLU(), nn.Linear(enc_out_dim, 16))

    def forward(self, x):
        h = self.encoder(x)
        mu, log_var = self.fc_mu(h), self.fc_var(h)
        z = mu + torch.randn_like(mu) * torch.exp(0.5 * log_var) if self.training else mu
        return self.decoder(z), mu, log_var

    def step(self, x):
        x_hat, mu, log_var = self(x)
        recon = nn.functional.mse_loss(x_hat, x)
        kl = -0.5 * torch.mean(1 + log_var - mu.pow(2) - log_var.exp())
        return recon + self.kl_coeff * kl, {"recon_loss": recon, "kl": kl}

    def training_step(self, batch, batch_idx):
        loss, logs = self.step(batch)
        self.log_dict({f"train_{k}": v for k, v in logs.items()})
        return loss

    def validation_step(self, batch, batch_idx):
        loss, logs = self.step(batch)
        self.log("val_loss", loss)
        self.log_dict({f"val_{k}": v for k, v in logs.items()})

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=self.lr)


if __name__ == "__main__":
    L.seed_everything(2013)
    root = "dataset/prepdata/v1"
    L.Trainer(max_epochs=12, logger=False, enable_progress_bar=False).fit(
        VAE(),
        DataLoader(WavesOnly(f"{root}/train/signals.npz"), batch_size=32, shuffle=True),
        DataLoader(WavesOnly(f"{root}/valid/signals.npz"), batch_size=32),
    )
