"""Denoising autoencoder made of modules inside modules."""
from typing import Tuple

import lightning as L
import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset


class Block(nn.Module):
    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__()
        self.linear = nn.Linear(n_in, n_out)
        self.act = nn.LeakyReLU(0.1)

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.linear(x))


class Encoder(nn.Module):
    def __init__(self, n_in: int = 16, n_hidden: int = 32, n_code: int = 4) -> None:
        super().__init__()
        self.first = Block(n_in, n_hidden)
        self.second = Block(n_hidden, n_hidden // 2)
        self.code = nn.Linear(n_hidden // 2, n_code)

    def forward(self, x: Tensor) -> Tensor:
        return self.code(self.second(self.first(x)))


class Decoder(nn.Module):
    def __init__(self, n_code: int = 4, n_hidden: int = 32, n_out: int = 16) -> None:
        super().__init__()
        self.blocks = nn.Sequential(Block(n_code, n_hidden // 2), Block(n_hidden // 2, n_hidden))
        self.out = nn.Linear(n_hidden, n_out)

    def forward(self, z: Tensor) -> Tensor:
        return self.out(self.blocks(z))


class Noisy(Dataset):
    def __init__(self, split: str, sigma: float = 0.1) -> None:
        self.x = torch.from_numpy(np.load(f"dataset/prepdata/v1/{split}/signals.npz")["x"])
        self.sigma = sigma

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, i: int) -> Tuple[Tensor, Tensor]:
        noise = torch.randn(16, generator=torch.Generator().manual_seed(i))
        return self.x[i] + self.sigma * noise, self.x[i]


class AutoEncoder(L.LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.encoder = Encoder()
        self.decoder = Decoder()

    def forward(self, x: Tensor) -> Tensor:
        return self.decoder(self.encoder(x))

    def training_step(self, batch: Tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        noisy, clean = batch
        loss = nn.functional.mse_loss(self(noisy), clean)
        self.log("train_loss", loss, on_epoch=True)
        return loss

    def validation_step(self, batch: Tuple[Tensor, Tensor], batch_idx: int) -> None:
        noisy, clean = batch
        self.log("val_loss", nn.functional.mse_loss(self(noisy), clean))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), lr=1e-3)


def main() -> None:
    L.seed_everything(11)
    trainer = L.Trainer(max_epochs=15, enable_progress_bar=False, logger=False)
    trainer.fit(
        AutoEncoder(),
        DataLoader(Noisy("train"), batch_size=20, shuffle=True),
        DataLoader(Noisy("valid"), batch_size=48),
    )


if __name__ == "__main__":
    main()
