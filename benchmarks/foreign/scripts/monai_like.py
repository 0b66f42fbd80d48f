"""Segmentation in the style of MONAI tutorials: list of dicts, dict transforms, DiceCE, metrics at the epoch's end."""

import lightning
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from lightning.pytorch.callbacks import ModelCheckpoint
from torch.utils.data import DataLoader, Dataset

data_dir = "dataset/prepdata/v1"
NUM_CLASSES = 3


class Compose:
    def __init__(self, transforms):
        self.transforms = transforms

    def __call__(self, data):
        for t in self.transforms:
            data = t(data)
        return data


class EnsureChannelFirstd:
    def __init__(self, keys):
        self.keys = keys

    def __call__(self, data):
        return {**data, **{k: torch.as_tensor(data[k])[None] for k in self.keys}}


class RandFlipd:
    def __init__(self, keys, prob):
        self.keys, self.prob = keys, prob

    def __call__(self, data):
        if torch.rand(()) < self.prob:
            return {**data, **{k: data[k].flip(-1) for k in self.keys}}
        return data


class DictDataset(Dataset):
    def __init__(self, files, transform):
        self.files, self.transform = files, transform

    def __len__(self):
        return len(self.files)

    def __getitem__(self, i):
        return self.transform(self.files[i])


def list_data_collate(items):
    return {k: torch.stack([item[k] for item in items]) for k in items[0] if k != "name"} | {
        "name": [item["name"] for item in items]
    }


class DiceCELoss(nn.Module):
    def __init__(self, smooth=1e-5, lambda_dice=1.0, lambda_ce=1.0):
        super().__init__()
        self.smooth, self.lambda_dice, self.lambda_ce = smooth, lambda_dice, lambda_ce

    def forward(self, input, target):
        probs = input.softmax(1)
        onehot = F.one_hot(target.squeeze(1), input.shape[1]).movedim(-1, 1).float()
        inter = (probs * onehot).sum((2, 3))
        denom = probs.sum((2, 3)) + onehot.sum((2, 3))
        dice = 1 - (2 * inter + self.smooth) / (denom + self.smooth)
        return self.lambda_dice * dice.mean() + self.lambda_ce * F.cross_entropy(input, target.squeeze(1))


class UNet(nn.Module):
    def __init__(self, channels=(8, 16)):
        super().__init__()
        self.down = nn.Sequential(nn.Conv2d(1, channels[0], 3, padding=1), nn.InstanceNorm2d(channels[0]), nn.PReLU())
        self.bottom = nn.Sequential(nn.Conv2d(channels[0], channels[1], 3, stride=2, padding=1), nn.PReLU())
        self.up = nn.ConvTranspose2d(channels[1], channels[0], 2, stride=2)
        self.out = nn.Conv2d(2 * channels[0], NUM_CLASSES, 1)

    def forward(self, x):
        skip = self.down(x)
        return self.out(torch.cat([skip, self.up(self.bottom(skip))], 1))


class Net(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self._model = UNet()
        self.loss_function = DiceCELoss()
        self.best_val_dice = 0
        self.validation_step_outputs = []

    def forward(self, x):
        return self._model(x)

    def prepare_data(self):
        def files(split):
            npz = np.load(f"{data_dir}/{split}/data.npz")
            return [
                {"image": i, "label": m, "name": f"{split}_{n}"}
                for n, (i, m) in enumerate(zip(npz["image"], npz["mask"]))
            ]

        first = EnsureChannelFirstd(keys=["image", "label"])
        self.train_ds = DictDataset(files("train"), Compose([first, RandFlipd(keys=["image", "label"], prob=0.5)]))
        self.val_ds = DictDataset(files("valid"), Compose([first]))

    def train_dataloader(self):
        return DataLoader(self.train_ds, batch_size=16, shuffle=True, collate_fn=list_data_collate)

    def val_dataloader(self):
        return DataLoader(self.val_ds, batch_size=20, collate_fn=list_data_collate)

    def configure_optimizers(self):
        return torch.optim.Adam(self._model.parameters(), 1e-2)

    def training_step(self, batch, batch_idx):
        images, labels = batch["image"], batch["label"]
        loss = self.loss_function(self.forward(images), labels)
        self.log("train_loss", loss.item())
        return {"loss": loss}

    def validation_step(self, batch, batch_idx):
        images, labels = batch["image"], batch["label"]
        outputs = self.forward(images)
        d = {
            "val_loss": self.loss_function(outputs, labels),
            "val_number": len(outputs),
            "hits": (outputs.argmax(1) == labels[:, 0]).sum(),
        }
        self.validation_step_outputs.append(d)
        return d

    def on_validation_epoch_end(self):
        val_loss = sum(o["val_loss"] * o["val_number"] for o in self.validation_step_outputs)
        num_items = sum(o["val_number"] for o in self.validation_step_outputs)
        hits = sum(o["hits"] for o in self.validation_step_outputs)
        self.log("val_loss", val_loss / num_items)
        self.log("val_pixel_acc", hits / (num_items * 256))
        self.validation_step_outputs.clear()


if __name__ == "__main__":
    lightning.seed_everything(0)
    net = Net()
    ckpt = ModelCheckpoint(dirpath="runs", filename="best_metric_model", monitor="val_loss")
    trainer = lightning.Trainer(max_epochs=3, callbacks=[ckpt], enable_checkpointing=True, num_sanity_val_steps=1)
    trainer.fit(net)
