import lightning as L
import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

LR = 0.05
CLIP = 1.0


def read(split):
    d = np.load("dataset/prepdata/v1/%s/signals.npz" % split)
    return TensorDataset(torch.as_tensor(d["x"]), torch.as_tensor(d["y"]))


class Manual(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.automatic_optimization = False
        self.net = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 4))

    def training_step(self, batch, batch_idx):
        opt = self.optimizers()
        sch = self.lr_schedulers()
        x, y = batch
        loss = nn.functional.cross_entropy(self.net(x), y)
        opt.zero_grad()
        self.manual_backward(loss)
        self.clip_gradients(opt, gradient_clip_val=CLIP, gradient_clip_algorithm="norm")
        opt.step()
        if self.trainer.is_last_batch:
            sch.step()
        self.log("train_loss", loss)

    def validation_step(self, batch, batch_idx):
        x, y = batch
        self.log("val_loss", nn.functional.cross_entropy(self.net(x), y))

    def configure_optimizers(self):
        opt = torch.optim.SGD(self.parameters(), lr=LR)
        return [opt], [torch.optim.lr_scheduler.StepLR(opt, step_size=5)]


if __name__ == "__main__":
    torch.manual_seed(3)
    trainer = L.Trainer(max_epochs=15, enable_progress_bar=False)
    trainer.fit(Manual(), DataLoader(read("train"), 32, shuffle=True), DataLoader(read("valid"), 96))
