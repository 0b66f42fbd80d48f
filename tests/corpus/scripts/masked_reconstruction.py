"""Self-supervised: hide values of a wave and guess them; the mask is fixed by the position in the data set."""
import lightning as L
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Masked(Dataset):
    ratio = 0.25

    def __init__(self, split, seed):
        self.x = torch.from_numpy(np.load(f"dataset/prepdata/v1/{split}/signals.npz")["x"])
        self.mask = torch.rand(self.x.shape, generator=torch.Generator().manual_seed(seed)) < self.ratio

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        return torch.where(self.mask[i], torch.zeros(()), self.x[i]), self.x[i]


class Denoiser(L.LightningModule):
    def __init__(self, channels: int = 8):
        super().__init__()
        self.example_input_array = torch.zeros(2, 16)
        self.encode = nn.Conv1d(1, channels, 5, padding=2)
        self.mix = nn.Conv1d(channels, channels, 5, padding=2)
        self.decode = nn.Conv1d(channels, 1, 5, padding=2)

    def forward(self, x):
        h = nn.functional.gelu(self.encode(x.unsqueeze(1)))
        h = h + nn.functional.gelu(self.mix(h))
        return self.decode(h).squeeze(1)

    def training_step(self, batch, batch_idx):
        hidden, whole = batch
        return nn.functional.l1_loss(self(hidden), whole)

    def validation_step(self, batch, batch_idx):
        hidden, whole = batch
        self.log("val_l1", nn.functional.l1_loss(self(hidden), whole))

    def configure_optimizers(self):
        optimizer = torch.optim.Adam(self.parameters(), lr=2e-3)
        scheduler = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, max_lr=8e-3, total_steps=self.trainer.estimated_stepping_batches
        )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}


if __name__ == "__main__":
    L.seed_everything(75)
    trainer = L.Trainer(max_epochs=9, logger=False, enable_progress_bar=False)
    trainer.fit(Denoiser(), DataLoader(Masked("train", 1), 32, shuffle=True), DataLoader(Masked("valid", 2), 32))
