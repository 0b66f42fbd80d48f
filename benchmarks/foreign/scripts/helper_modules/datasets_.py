import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset


class SignalDataset(Dataset):
    def __init__(self, root, split, shift, scale):
        npz = np.load(f"{root}/{split}/data.npz")
        self.x, self.y = (npz["x"] - shift) / scale, npz["y"]

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        return {"label": torch.as_tensor(self.y[i]), "input": torch.as_tensor(self.x[i], dtype=torch.float32)}


def build_loaders(cfg):
    sets = [SignalDataset(cfg.data_root, split, cfg.shift, cfg.scale) for split in ("train", "valid")]
    return DataLoader(sets[0], cfg.batch_size, shuffle=True), DataLoader(sets[1], cfg.batch_size)
