"""GRU over a signal, value by value."""
import lightning as L
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

HIDDEN_SIZE = 20
NUM_LAYERS = 2
RNN_DROPOUT = 0.1
LR = 4e-3
BATCH = 32


class SequenceClassifier(L.LightningModule):
    def __init__(self, hidden_size: int, num_layers: int, n_classes: int = 4):
        super().__init__()
        self.rnn = nn.GRU(1, hidden_size, num_layers, batch_first=True, dropout=RNN_DROPOUT, bidirectional=True)
        self.norm = nn.LayerNorm(2 * hidden_size)
        self.out = nn.Linear(2 * hidden_size, n_classes)

    def forward(self, x):
        outputs, _ = self.rnn(x.unsqueeze(-1))
        return self.out(self.norm(outputs.mean(dim=1)))

    def training_step(self, batch, batch_idx):
        x, y = batch
        loss = nn.functional.cross_entropy(self(x), y, label_smoothing=0.1)
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch, batch_idx):
        x, y = batch
        self.log("val_loss", nn.functional.cross_entropy(self(x), y))

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), LR)


def loaders():
    for split in ("train", "valid"):
        z = np.load(f"dataset/prepdata/v1/{split}/signals.npz")
        yield DataLoader(
            TensorDataset(torch.from_numpy(z["x"]), torch.from_numpy(z["y"])), BATCH, shuffle=split == "train"
        )


if __name__ == "__main__":
    L.seed_everything(55)
    train_loader, valid_loader = loaders()
    model = SequenceClassifier(HIDDEN_SIZE, NUM_LAYERS)
    trainer = L.Trainer(max_epochs=6, gradient_clip_val=1.0, logger=False, enable_progress_bar=False)
    trainer.fit(model, train_loader, valid_loader)
