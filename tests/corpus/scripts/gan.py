"""A GAN that learns the waves; two optimizers, toggled by hand."""
from collections import OrderedDict

import lightning as L
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader


class Generator(nn.Module):
    def __init__(self, latent_dim, n_out):
        super().__init__()

        def block(in_feat, out_feat, normalize=True):
            layers = [nn.Linear(in_feat, out_feat)]
            if normalize:
                layers.append(nn.BatchNorm1d(out_feat, 0.8))
            layers.append(nn.LeakyReLU(0.01, inplace=True))
            return layers

        self.model = nn.Sequential(
            *block(latent_dim, 32, normalize=False),
            *block(32, 64),
            nn.Linear(64, n_out),
        )

    def forward(self, z):
        return self.model(z)


class Discriminator(nn.Module):
    def __init__(self, n_in):
        super().__init__()
        self.model = nn.Sequential(
            nn.Linear(n_in, 64),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Linear(64, 1),
        )

    def forward(self, x):
        return self.model(x)


class GAN(L.LightningModule):
    def __init__(self, n_signal=16, latent_dim: int = 8, lr: float = 0.0002, b1: float = 0.5, b2: float = 0.999, batch_size: int = 32):
        super().__init__()
        self.save_hyperparameters()
        self.automatic_optimization = False
        self.generator = Generator(latent_dim, n_signal)
        self.discriminator = Discriminator(n_signal)

    def forward(self, z):
        return self.generator(z)

    def adversarial_loss(self, y_hat, y):
        return F.binary_cross_entropy_with_logits(y_hat, y)

    def training_step(self, x):
        optimizer_g, optimizer_d = self.optimizers()
        z = torch.randn(x.shape[0], self.hparams.latent_dim).type_as(x)

        self.toggle_optimizer(optimizer_g)
        fake = self(z)
        valid = torch.ones(x.size(0), 1).type_as(x)
        g_loss = self.adversarial_loss(self.discriminator(fake), valid)
        self.log("g_loss", g_loss, prog_bar=True)
        self.manual_backward(g_loss)
        optimizer_g.step()
        optimizer_g.zero_grad()
        self.untoggle_optimizer(optimizer_g)

        self.toggle_optimizer(optimizer_d)
        real_loss = self.adversarial_loss(self.discriminator(x), valid)
        fake_loss = self.adversarial_loss(self.discriminator(fake.detach()), torch.zeros_like(valid))
        d_loss = (real_loss + fake_loss) / 2
        self.log("d_loss", d_loss, prog_bar=True)
        self.manual_backward(d_loss)
        optimizer_d.step()
        optimizer_d.zero_grad()
        self.untoggle_optimizer(optimizer_d)
        self.log_dict(OrderedDict(g=g_loss, d=d_loss))

    def configure_optimizers(self):
        lr = self.hparams.lr
        b1 = self.hparams.b1
        b2 = self.hparams.b2
        opt_g = torch.optim.Adam(self.generator.parameters(), lr=lr, betas=(b1, b2))
        opt_d = torch.optim.Adam(self.discriminator.parameters(), lr=lr, betas=(b1, b2))
        return [opt_g, opt_d], []


if __name__ == "__main__":
    L.seed_everything(1)
    waves = torch.from_numpy(np.load("dataset/prepdata/v1/train/signals.npz")["x"])
    model = GAN()
    trainer = L.Trainer(accelerator="auto", devices=1, max_epochs=5, enable_progress_bar=False)
    trainer.fit(model, DataLoader(waves, batch_size=model.hparams.batch_size, shuffle=True))
