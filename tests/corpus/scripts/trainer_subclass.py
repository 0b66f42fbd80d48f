import lightning as L
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class QuietTrainer(L.Trainer):
    """Our group's defaults."""

    def __init__(self, max_epochs=12, **kwargs):
        kwargs.setdefault("enable_progress_bar", False)
        kwargs.setdefault("enable_model_summary", False)
        kwargs.setdefault("logger", False)
        super().__init__(max_epochs=max_epochs, **kwargs)

    def fit(self, model, *args, **kwargs):
        print(f"training {type(model).__name__} for {self.max_epochs} epochs")
        return super().fit(model, *args, **kwargs)


class Net(L.LightningModule):
    def __init__(self, lr=1e-2):
        super().__init__()
        self.lr = lr
        self.model = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 4))

    def training_step(self, batch, batch_idx):
        return nn.functional.cross_entropy(self.model(batch[0]), batch[1])

    def validation_step(self, batch, batch_idx):
        self.log("val_loss", nn.functional.cross_entropy(self.model(batch[0]), batch[1]))

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=self.lr, momentum=0.9)


def data(split):
    arrays = np.load(f"dataset/prepdata/v1/{split}/signals.npz")
    return TensorDataset(torch.from_numpy(arrays["x"]), torch.from_numpy(arrays["y"]))


if __name__ == "__main__":
    L.seed_everything(10)
    trainer = QuietTrainer(max_epochs=50, gradient_clip_val=0.5)
    trainer.fit(Net(), DataLoader(data("train"), batch_size=32, shuffle=True), DataLoader(data("valid"), batch_size=32))
