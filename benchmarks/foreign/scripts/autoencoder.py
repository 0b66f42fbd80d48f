import lightning as L
import numpy as np
import torch
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset


def pictures(split):
    x = np.load(f"dataset/prepdata/v1/{split}/data.npz")["x"]
    return TensorDataset(torch.tensor(x / 16.0, dtype=torch.float32))


L.seed_everything(0)
encoder = nn.Sequential(nn.Linear(8 * 8, 48), nn.ReLU(), nn.Linear(48, 12))
decoder = nn.Sequential(nn.Linear(12, 48), nn.ReLU(), nn.Linear(48, 8 * 8))


class LitAutoEncoder(L.LightningModule):
    def __init__(self, encoder, decoder):
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder

    def forward(self, x):
        # embeddings are what is used later
        return self.encoder(x.view(x.size(0), -1))

    def _reconstruct(self, batch):
        (x,) = batch
        x = x.view(x.size(0), -1)
        z = self.encoder(x)
        x_hat = self.decoder(z)
        return nn.functional.mse_loss(x_hat, x)

    def training_step(self, batch, batch_idx):
        loss = self._reconstruct(batch)
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch, batch_idx):
        self.log("val_loss", self._reconstruct(batch))

    def configure_optimizers(self):
        return optim.Adam(self.parameters(), lr=5e-3)


autoencoder = LitAutoEncoder(encoder, decoder)
trainer = L.Trainer(max_epochs=3, enable_progress_bar=False)
trainer.fit(autoencoder, DataLoader(pictures("train"), 32, shuffle=True), DataLoader(pictures("valid"), 32))
