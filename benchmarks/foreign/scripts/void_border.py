import argparse
import pathlib

import lightning.pytorch as pl
import numpy as np
import torch
from lightning.pytorch.loggers import CSVLogger
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset
from torchmetrics import MetricCollection
from torchmetrics.classification import MulticlassAccuracy, MulticlassJaccardIndex

IGNORE = 255


def load(root, split):
    f = np.load(pathlib.Path(root) / split / "data.npz")
    masks = f["mask"].copy()
    masks[:, 0] = masks[:, :, 0] = IGNORE  # the border was not annotated
    return TensorDataset(torch.tensor(f["image"]).unsqueeze(1), torch.tensor(masks))


class FCN(nn.Sequential):
    def __init__(self, width, num_classes):
        super().__init__(
            nn.Conv2d(1, width, 3, padding=1),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
            nn.Conv2d(width, width, 3, padding=1),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
            nn.Conv2d(width, num_classes, 1),
        )


class SemSeg(pl.LightningModule):
    def __init__(self, args):
        super().__init__()
        self.save_hyperparameters(args)
        self.model = FCN(args.width, 3)
        self.register_buffer("class_weights", torch.tensor([0.4, 1.0, 1.5]))
        kwargs = dict(num_classes=3, ignore_index=IGNORE)
        self.val_metrics = MetricCollection(
            {"mIoU": MulticlassJaccardIndex(**kwargs), "acc": MulticlassAccuracy(average="micro", **kwargs)},
            prefix="val_",
        )

    def forward(self, x):
        return {"out": self.model(x)}

    def loss(self, out, target):
        return F.cross_entropy(out, target, weight=self.class_weights, ignore_index=IGNORE)

    def training_step(self, batch, i):
        image, target = batch
        return self.loss(self(image)["out"], target)

    def validation_step(self, batch, i):
        image, target = batch
        out = self(image)["out"]
        self.log("val_loss", self.loss(out, target), prog_bar=True)
        self.val_metrics.update(out, target)

    def on_validation_epoch_end(self):
        self.log_dict(self.val_metrics.compute())
        self.val_metrics.reset()

    def configure_optimizers(self):
        opt = torch.optim.SGD(self.parameters(), lr=self.hparams.lr, momentum=0.9, weight_decay=1e-4)
        return [opt], [torch.optim.lr_scheduler.PolynomialLR(opt, total_iters=self.hparams.epochs, power=0.9)]


def get_args():
    p = argparse.ArgumentParser()
    p.add_argument("--data-path", default="dataset/prepdata/v1")
    p.add_argument("--width", type=int, default=12)
    p.add_argument("--lr", type=float, default=0.1)
    p.add_argument("-b", "--batch-size", type=int, default=20)
    p.add_argument("--epochs", type=int, default=3)
    return p.parse_args()


def main(args):
    pl.seed_everything(1)
    loaders = [DataLoader(load(args.data_path, s), args.batch_size, shuffle=s == "train") for s in ("train", "valid")]
    trainer = pl.Trainer(
        max_epochs=args.epochs,
        logger=CSVLogger("logs", name="fcn"),
        callbacks=[pl.callbacks.ModelCheckpoint(monitor="val_mIoU", mode="max")],
    )
    trainer.fit(SemSeg(args), *loaders)


if __name__ == "__main__":
    main(get_args())
