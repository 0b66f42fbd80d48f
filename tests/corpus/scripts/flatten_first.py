"""Pictures flattened within nn.Sequential, layers named by an OrderedDict."""
from collections import OrderedDict

import lightning as L
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Pictures(Dataset):
    mean, std = 60.0, 45.0

    def __init__(self, root, split):
        content = np.load(f"{root}/{split}/pictures.npz")
        self.images, self.labels = content["images"], content["labels"]

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        image = (self.images[index].astype(np.float32) - self.mean) / self.std
        return image[None], self.labels[index]


class Perceptron(L.LightningModule):
    def __init__(self, learning_rate=1e-2, momentum=0.9):
        super().__init__()
        self.learning_rate, self.momentum = learning_rate, momentum
        self.net = nn.Sequential(
            OrderedDict(
                flatten=nn.Flatten(),
                fc1=nn.Linear(12 * 12, 50),
                act1=nn.ReLU(),
                fc2=nn.Linear(50, 4),
            )
        )
        self.loss = nn.CrossEntropyLoss()

    def forward(self, images):
        return self.net(images)

    def training_step(self, batch, batch_idx):
        images, labels = batch
        loss = self.loss(self(images), labels)
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch, batch_idx):
        images, labels = batch
        scores = self(images)
        self.log_dict({"val_loss": self.loss(scores, labels), "val_acc": (scores.argmax(1) == labels).float().mean()})

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), self.learning_rate, self.momentum)


if __name__ == "__main__":
    L.seed_everything(28)
    root = "dataset/prepdata/v1"
    trainer = L.Trainer(max_epochs=10, logger=False, enable_progress_bar=False)
    trainer.fit(
        model=Perceptron(),
        train_dataloaders=DataLoader(Pictures(root, "train"), batch_size=32, shuffle=True, drop_last=True),
        val_dataloaders=DataLoader(Pictures(root, "valid"), batch_size=32),
    )
