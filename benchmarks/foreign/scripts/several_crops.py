"""Ten-crop habit: validation pictures come as several crops each, whose scores are averaged."""
import lightning as L
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Crops(Dataset):
    def __init__(self, split):
        f = np.load(f"dataset/prepdata/v1/{split}/data.npz")
        self.x, self.y, self.train = torch.from_numpy(f["x"]) / 16.0, f["y"], split == "train"

    def __len__(self):
        return len(self.y)

    def crop(self, image, top, left):
        return image[None, top : top + 7, left : left + 7]

    def __getitem__(self, i):
        if self.train:
            return self.crop(self.x[i], *torch.randint(0, 2, (2,)).tolist()), self.y[i]
        return torch.stack([self.crop(self.x[i], t, l) for t in (0, 1) for l in (0, 1)]), self.y[i]


class VGGLike(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.Conv2d(12, 12, 3), nn.ReLU())
        self.classifier = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(12 * 25, 10))
        self.criterion = nn.CrossEntropyLoss()

    def forward(self, x):
        return self.classifier(self.features(x))

    def training_step(self, batch, batch_idx):
        inputs, targets = batch
        return self.criterion(self(inputs), targets)

    def validation_step(self, batch, batch_idx):
        inputs, targets = batch
        bs, ncrops, c, h, w = inputs.shape
        outputs = self(inputs.view(-1, c, h, w))
        outputs_avg = outputs.view(bs, ncrops, -1).mean(1)
        _, predicted = torch.max(outputs_avg.data, 1)
        self.log("val_loss", self.criterion(outputs_avg, targets))
        self.log("val_acc", predicted.eq(targets.data).float().mean())

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4)


if __name__ == "__main__":
    L.seed_everything(14)
    trainer = L.Trainer(max_epochs=3, enable_progress_bar=False)
    trainer.fit(VGGLike(), DataLoader(Crops("train"), 36, shuffle=True), DataLoader(Crops("valid"), 36))
