"""Dictionaries through transforms, Dice loss, an optimizer over the network's parameters (MONAI-like)."""
import lightning
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


class LoadPairs:
    def __init__(self, root):
        self.root = root

    def __call__(self, split):
        z = np.load(f"{self.root}/{split}/pictures.npz")
        return [{"image": image, "label": image > 130} for image in z["images"]]


class ScaleIntensityd:
    def __init__(self, keys, maximum):
        self.keys, self.maximum = keys, maximum

    def __call__(self, item):
        return {**item, **{key: item[key].astype("float32") / self.maximum for key in self.keys}}


class ToTensord:
    def __init__(self, keys):
        self.keys = keys

    def __call__(self, item):
        return {**item, **{key: torch.as_tensor(item[key]).float()[None] for key in self.keys}}


class TransformedDataset(Dataset):
    def __init__(self, data, transforms):
        self.data, self.transforms = data, transforms

    def __len__(self):
        return len(self.data)

    def __getitem__(self, index):
        item = self.data[index]
        for transform in self.transforms:
            item = transform(item)
        return item


class DiceLoss(nn.Module):
    def __init__(self, sigmoid=True, smooth=1e-3):
        super().__init__()
        self.sigmoid, self.smooth = sigmoid, smooth

    def forward(self, input, target):
        if self.sigmoid:
            input = torch.sigmoid(input)
        dims = (1, 2, 3)
        overlap = (input * target).sum(dims)
        return 1 - ((2 * overlap + self.smooth) / (input.sum(dims) + target.sum(dims) + self.smooth)).mean()


class Net(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self._model = nn.Sequential(
            nn.Conv2d(1, 8, 3, padding=1), nn.InstanceNorm2d(8, affine=True), nn.PReLU(),
            nn.Conv2d(8, 8, 3, padding=1), nn.PReLU(), nn.Conv2d(8, 1, 1),
        )
        self.loss_function = DiceLoss(sigmoid=True)

    def forward(self, x):
        return self._model(x)

    def prepare_data(self):
        load = LoadPairs("dataset/prepdata/v1")
        transforms = [ScaleIntensityd(keys=["image"], maximum=255), ToTensord(keys=["image", "label"])]
        self.train_ds = TransformedDataset(load("train"), transforms)
        self.val_ds = TransformedDataset(load("valid"), transforms)

    def train_dataloader(self):
        return DataLoader(self.train_ds, batch_size=16, shuffle=True)

    def val_dataloader(self):
        return DataLoader(self.val_ds, batch_size=32)

    def configure_optimizers(self):
        return torch.optim.Adam(self._model.parameters(), 1e-3)

    def training_step(self, batch, batch_idx):
        images, labels = batch["image"], batch["label"]
        loss = self.loss_function(self.forward(images), labels)
        return {"loss": loss, "log": {"train_loss": loss.item()}}

    def validation_step(self, batch, batch_idx):
        images, labels = batch["image"], batch["label"]
        self.log("val_loss", self.loss_function(self.forward(images), labels), batch_size=images.shape[0])


if __name__ == "__main__":
    lightning.seed_everything(0)
    lightning.Trainer(max_epochs=6, logger=False, enable_progress_bar=False).fit(Net())
