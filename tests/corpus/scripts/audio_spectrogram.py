"""Commands in audio: log-spectrograms in the module, a small convolutional net, epochs from a dict of settings."""
import types

import lightning as L
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

hp = types.SimpleNamespace(n_fft=8, hop=2, channels=12, lr=0.003, bs=32, epochs=9, drop=0.25, seed=16000)


class Clips(Dataset):
    """(waveform, sample rate, label, speaker), as audio data sets have them."""

    def __init__(self, subset):
        z = np.load(f"dataset/prepdata/v1/{subset}/signals.npz")
        self.clips = [(torch.from_numpy(x)[None], 16, int(y), i % 5) for i, (x, y) in enumerate(zip(z["x"], z["y"]))]

    def __len__(self):
        return len(self.clips)

    def __getitem__(self, n):
        return self.clips[n]


def collate(samples):
    waves, targets = [], []
    for waveform, _, label, *_ in samples:
        waves.append(waveform)
        targets.append(label)
    return torch.stack(waves), torch.tensor(targets)


class LogSpectrogram(nn.Module):
    def __init__(self, n_fft, hop):
        super().__init__()
        self.n_fft, self.hop = n_fft, hop
        self.register_buffer("window", torch.hann_window(n_fft))

    def forward(self, x):
        spectrum = torch.stft(x.squeeze(1), self.n_fft, self.hop, window=self.window, return_complex=True)
        return spectrum.abs().clamp_min(1e-4).log().unsqueeze(1)


class KeywordSpotter(L.LightningModule):
    def __init__(self, hp):
        super().__init__()
        self.hp = hp
        self.frontend = LogSpectrogram(hp.n_fft, hp.hop)
        self.conv = nn.Sequential(
            nn.Conv2d(1, hp.channels, 3, padding=1), nn.BatchNorm2d(hp.channels), nn.ReLU(),
            nn.Conv2d(hp.channels, hp.channels, 3, padding=1), nn.BatchNorm2d(hp.channels), nn.ReLU(),
        )
        self.drop, self.fc = nn.Dropout(hp.drop), nn.Linear(hp.channels, 4)

    def forward(self, wave):
        return self.fc(self.drop(self.conv(self.frontend(wave)).mean((2, 3))))

    def training_step(self, batch, _):
        wave, target = batch
        loss = nn.functional.cross_entropy(self(wave), target)
        self.log("loss/train", loss)
        return loss

    def validation_step(self, batch, _):
        wave, target = batch
        self.log("loss/val", nn.functional.cross_entropy(self(wave), target))

    def configure_optimizers(self):
        return torch.optim.AdamW(self.parameters(), lr=self.hp.lr)


if __name__ == "__main__":
    L.seed_everything(hp.seed)
    train = DataLoader(Clips("train"), hp.bs, shuffle=True, collate_fn=collate)
    val = DataLoader(Clips("valid"), hp.bs, collate_fn=collate)
    L.Trainer(max_epochs=hp.epochs, logger=False, enable_progress_bar=False).fit(KeywordSpotter(hp), train, val)
