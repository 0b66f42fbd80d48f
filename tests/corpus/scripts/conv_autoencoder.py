"""Autoencoder of pictures: the first documentation example of many libraries, with convolutions."""
import numpy as np
import pytorch_lightning as pl
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Encoder(nn.Module):
    def __init__(self, num_input_channels, base_channel_size, latent_dim, act_fn=nn.GELU):
        super().__init__()
        c_hid = base_channel_size
        self.net = nn.Sequential(
            nn.Conv2d(num_input_channels, c_hid, kernel_size=3, padding=1, stride=2),
            act_fn(),
            nn.Conv2d(c_hid, 2 * c_hid, kernel_size=3, padding=1, stride=2),
            act_fn(),
            nn.Flatten(),
            nn.Linear(2 * 9 * c_hid, latent_dim),
        )

    def forward(self, x):
        return self.net(x)


class Decoder(nn.Module):
    def __init__(self, num_input_channels, latent_dim, act_fn=nn.GELU):
        super().__init__()
        self.linear = nn.Sequential(nn.Linear(latent_dim, 64), act_fn(), nn.Linear(64, num_input_channels * 144))

    def forward(self, x):
        return self.linear(x).view(-1, 1, 12, 12)


class Autoencoder(pl.LightningModule):
    def __init__(self, base_channel_size: int, latent_dim: int, num_input_channels: int = 1):
        super().__init__()
        self.save_hyperparameters()
        self.encoder = Encoder(num_input_channels, base_channel_size, latent_dim)
        self.decoder = Decoder(num_input_channels, latent_dim)

    def forward(self, x):
        return self.decoder(self.encoder(x))

    def _get_reconstruction_loss(self, batch):
        x = batch[0]
        x_hat = self.forward(x)
        loss = nn.functional.mse_loss(x, x_hat, reduction="none")
        return loss.sum(dim=[1, 2, 3]).mean(dim=[0])

    def configure_optimizers(self):
        optimizer = torch.optim.Adam(self.parameters(), lr=1e-3)
        scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, mode="min", factor=0.2, patience=20, min_lr=5e-5)
        return {"optimizer": optimizer, "lr_scheduler": scheduler, "monitor": "val_loss"}

    def training_step(self, batch, batch_idx):
        loss = self._get_reconstruction_loss(batch)
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch, batch_idx):
        self.log("val_loss", self._get_reconstruction_loss(batch))


def pictures(split):
    images = np.load(f"dataset/prepdata/v1/{split}/pictures.npz")["images"]
    return TensorDataset(torch.from_numpy(images).unsqueeze(1).float().div(127.5).sub(1))


def train_pictures(latent_dim):
    trainer = pl.Trainer(max_epochs=10, enable_progress_bar=False, logger=False)
    model = Autoencoder(base_channel_size=8, latent_dim=latent_dim)
    train_loader = DataLoader(pictures("train"), batch_size=64, shuffle=True, drop_last=True)
    trainer.fit(model, train_loader, DataLoader(pictures("valid"), batch_size=64, shuffle=False))
    return model


if __name__ == "__main__":
    pl.seed_everything(42)
    model_dict = {latent_dim: train_pictures(latent_dim) for latent_dim in [16]}
