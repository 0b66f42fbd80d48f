"""Knowledge distillation: a wide teacher is trained first by hand, the student learns from it and from the labels."""
import lightning as L
import numpy as np
import torch
import torch.nn.functional as F
from lightning.pytorch.callbacks import ModelCheckpoint
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

T, ALPHA = 3.0, 0.7


def data(split):
    z = np.load(f"dataset/prepdata/v1/{split}/data.npz")
    return TensorDataset(torch.tensor(z["x"]), torch.tensor(z["y"]))


def make_teacher(train_set):
    teacher = nn.Sequential(nn.Linear(16, 128), nn.ReLU(), nn.Linear(128, 4))
    optimizer = torch.optim.Adam(teacher.parameters(), lr=1e-2)
    x, y = train_set.tensors
    for _ in range(30):
        optimizer.zero_grad()
        F.cross_entropy(teacher(x), y).backward()
        optimizer.step()
    return teacher.requires_grad_(False)


class Distiller(L.LightningModule):
    def __init__(self, teacher, student):
        super().__init__()
        self.teacher, self.student = teacher.eval(), student

    def forward(self, x):
        return self.student(x)

    def kd_loss(self, student_logits, teacher_logits, labels):
        soft = F.kl_div(
            F.log_softmax(student_logits / T, dim=1), F.softmax(teacher_logits / T, dim=1), reduction="batchmean"
        )
        return ALPHA * T * T * soft + (1 - ALPHA) * F.cross_entropy(student_logits, labels)

    def _step(self, batch):
        x, y = batch
        with torch.no_grad():
            teacher_logits = self.teacher(x)
        student_logits = self(x)
        return self.kd_loss(student_logits, teacher_logits, y), student_logits

    def training_step(self, batch, batch_idx):
        return self._step(batch)[0]

    def validation_step(self, batch, batch_idx):
        loss, logits = self._step(batch)
        self.log("val_loss", loss)
        self.log("val_acc", (logits.argmax(1) == batch[1]).float().mean())

    def configure_optimizers(self):
        return torch.optim.Adam(self.student.parameters(), lr=1e-2)


if __name__ == "__main__":
    L.seed_everything(13)
    train_set = data("train")
    student = nn.Sequential(nn.Linear(16, 12), nn.ReLU(), nn.Linear(12, 4))
    trainer = L.Trainer(
        max_epochs=3, callbacks=[ModelCheckpoint(monitor="val_acc", mode="max")], enable_progress_bar=False
    )
    trainer.fit(Distiller(make_teacher(train_set), student), DataLoader(train_set, 32, shuffle=True), DataLoader(data("valid"), 64))
