"""A student learns from a frozen teacher's soft scores and from the labels."""
import lightning as L
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def build(width, depth):
    dims = [16] + [width] * depth
    blocks = [nn.Sequential(nn.Linear(i, o), nn.ReLU()) for i, o in zip(dims, dims[1:])]
    return nn.Sequential(*blocks, nn.Linear(width, 4))


class Distiller(L.LightningModule):
    def __init__(self, teacher, student, temperature=2.0, alpha=0.5, lr=5e-3):
        super().__init__()
        self.teacher = teacher.eval().requires_grad_(False)
        self.student = student
        self.temperature, self.alpha, self.lr = temperature, alpha, lr

    def forward(self, x):
        return self.student(x)

    def training_step(self, batch, batch_idx):
        x, y = batch
        student = self.student(x)
        with torch.no_grad():
            teacher = self.teacher(x)
        t = self.temperature
        soft = F.kl_div(F.log_softmax(student / t, -1), F.softmax(teacher / t, -1), reduction="batchmean") * t * t
        hard = F.cross_entropy(student, y)
        self.log_dict({"soft": soft, "hard": hard})
        return self.alpha * soft + (1 - self.alpha) * hard

    def validation_step(self, batch, batch_idx):
        x, y = batch
        self.log("val_loss", F.cross_entropy(self(x), y))

    def configure_optimizers(self):
        return torch.optim.Adam(self.student.parameters(), lr=self.lr)


def waves(split):
    z = np.load(f"dataset/prepdata/v1/{split}/signals.npz")
    return TensorDataset(torch.from_numpy(z["x"]), torch.from_numpy(z["y"]))


if __name__ == "__main__":
    L.seed_everything(10)
    module = Distiller(teacher=build(64, 2), student=build(16, 1))
    trainer = L.Trainer(max_epochs=10, logger=False, enable_progress_bar=False)
    trainer.fit(module, DataLoader(waves("train"), batch_size=32, shuffle=True), DataLoader(waves("valid"), batch_size=32))
