import lightning as L
import numpy as np
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from torchmetrics import MetricCollection
from torchmetrics.classification import MulticlassAccuracy, MulticlassF1Score


class FraudData(L.LightningDataModule):
    def __init__(self, root="dataset/prepdata/v1", batch_size=50):
        super().__init__()
        self.root, self.batch_size = root, batch_size

    def setup(self, stage):
        def read(split):
            npz = np.load(f"{self.root}/{split}/data.npz")
            return TensorDataset(torch.tensor(npz["x"]), torch.tensor(npz["y"]))

        if stage == "fit":
            self.train_set, self.val_set = read("train"), read("valid")

    def train_dataloader(self):
        return DataLoader(self.train_set, self.batch_size, shuffle=True)

    def val_dataloader(self):
        return DataLoader(self.val_set, self.batch_size)


class FraudNet(L.LightningModule):
    def __init__(self, in_features=12, num_classes=2, lr=0.01):
        super().__init__()
        self.save_hyperparameters()
        self.body = nn.Sequential(nn.Linear(in_features, 24), nn.SiLU(), nn.Linear(24, num_classes))
        metrics = MetricCollection({"acc": MulticlassAccuracy(num_classes), "f1": MulticlassF1Score(num_classes)})
        self.train_metrics = metrics.clone(prefix="train_")
        self.val_metrics = metrics.clone(prefix="val_")

    def forward(self, x):
        return self.body(x)

    def training_step(self, batch, batch_idx):
        features, fraud = batch
        logits = self(features)
        self.log_dict(self.train_metrics(logits, fraud))
        return nn.functional.cross_entropy(logits, fraud)

    def validation_step(self, batch, batch_idx):
        features, fraud = batch
        logits = self(features)
        self.log("val_loss", nn.functional.cross_entropy(logits, fraud), prog_bar=True)
        self.val_metrics.update(logits, fraud)
        self.log_dict(self.val_metrics)

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=self.hparams.lr)


if __name__ == "__main__":
    L.seed_everything(77)
    trainer = L.Trainer(max_epochs=3, callbacks=[ModelCheckpoint(monitor="val_f1", mode="max")], enable_progress_bar=False)
    trainer.fit(FraudNet(), datamodule=FraudData())
