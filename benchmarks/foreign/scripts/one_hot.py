# keras habits: one-hot targets, softmax at the end of the model, categorical cross-entropy of probabilities by hand
import lightning.pytorch as pl
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


def to_categorical(y, num_classes):
    return np.eye(num_classes, dtype="float32")[y]


class Table(Dataset):
    def __init__(self, split):
        f = np.load(f"dataset/prepdata/v1/{split}/data.npz")
        self.x, self.y = f["x"], to_categorical(f["y"], 4)

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        return self.x[i], self.y[i]


def categorical_crossentropy(y_true, y_pred, eps=1e-7):
    y_pred = y_pred.clamp(eps, 1 - eps)
    return -(y_true * y_pred.log()).sum(dim=-1).mean()


class Sequential(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.dense_1 = nn.Linear(16, 32)
        self.dropout = nn.Dropout(0.2)
        self.dense_2 = nn.Linear(32, 4)

    def forward(self, x):
        x = self.dropout(torch.relu(self.dense_1(x)))
        return torch.softmax(self.dense_2(x), dim=-1)

    def training_step(self, batch, batch_idx):
        x, y_true = batch
        return categorical_crossentropy(y_true, self(x))

    def validation_step(self, batch, batch_idx):
        x, y_true = batch
        y_pred = self(x)
        self.log("val_loss", categorical_crossentropy(y_true, y_pred), prog_bar=True)
        self.log("val_accuracy", (y_pred.argmax(-1) == y_true.argmax(-1)).float().mean(), prog_bar=True)

    def configure_optimizers(self):
        return torch.optim.RMSprop(self.parameters(), lr=3e-3)


pl.seed_everything(123)
model = Sequential()
early_stopping = pl.callbacks.EarlyStopping(monitor="val_loss", patience=3)
checkpoint = pl.callbacks.ModelCheckpoint(dirpath="weights", filename="model", monitor="val_accuracy", mode="max")
trainer = pl.Trainer(max_epochs=3, callbacks=[early_stopping, checkpoint], enable_progress_bar=False)
trainer.fit(model, DataLoader(Table("train"), 32, shuffle=True), DataLoader(Table("valid"), 32))
