"""Nobody thought of a seed."""
import lightning as L
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Plain(L.LightningModule):
    def __init__(self, input_dim=16, hidden_dim=20, output_dim=4):
        super().__init__()
        self.input = nn.Linear(input_dim, hidden_dim)
        self.output = nn.Linear(hidden_dim, output_dim)
        self.dropout = nn.Dropout(p=0.3)

    def forward(self, x):
        x = nn.functional.relu(self.input(x))
        return self.output(self.dropout(x))

    def cross_entropy_loss(self, logits, labels):
        return nn.functional.cross_entropy(logits, labels)

    def training_step(self, train_batch, batch_idx):
        x, y = train_batch
        logits = self.forward(x)
        loss = self.cross_entropy_loss(logits, y)
        self.log("train_loss", loss)
        return loss

    def validation_step(self, val_batch, batch_idx):
        x, y = val_batch
        logits = self.forward(x)
        loss = self.cross_entropy_loss(logits, y)
        self.log("val_loss", loss)

    def configure_optimizers(self):
        optimizer = torch.optim.RMSprop(self.parameters(), lr=1e-3, momentum=0.5)
        return optimizer


train = np.load("dataset/prepdata/v1/train/signals.npz")
valid = np.load("dataset/prepdata/v1/valid/signals.npz")
train_loader = DataLoader(
    TensorDataset(torch.from_numpy(train["x"]), torch.from_numpy(train["y"])), batch_size=16, shuffle=True
)
val_loader = DataLoader(TensorDataset(torch.from_numpy(valid["x"]), torch.from_numpy(valid["y"])), batch_size=16)
model = Plain()
trainer = L.Trainer(max_epochs=10, enable_progress_bar=False)
trainer.fit(model, train_loader, val_loader)
