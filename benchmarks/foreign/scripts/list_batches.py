"""Detection habit: the batch stays a list of (image, target dict), and the step puts it together."""
import lightning.pytorch as pl
import numpy as np
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from torch import nn
from torch.utils.data import DataLoader, Dataset


class PictureDataset(Dataset):
    def __init__(self, split):
        self.npz = {k: v for k, v in np.load(f"dataset/prepdata/v1/{split}/data.npz").items()}

    def __len__(self):
        return len(self.npz["y"])

    def __getitem__(self, idx):
        image = torch.from_numpy(self.npz["x"][idx].astype("float32") / 16.0)
        target = {"labels": torch.tensor(int(self.npz["y"][idx])), "image_id": torch.tensor([idx])}
        return image, target


def collate_fn(batch):
    return tuple(zip(*batch))


class Recognizer(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.backbone = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten())
        self.box_head = nn.Linear(8 * 16, 10)

    def forward(self, images):
        return self.box_head(self.backbone(torch.stack(images).unsqueeze(1)))

    def training_step(self, batch, batch_idx):
        images, targets = batch
        loss = nn.functional.cross_entropy(self(images), torch.stack([t["labels"] for t in targets]))
        self.log("train_loss", loss, batch_size=len(images))
        return loss

    def validation_step(self, batch, batch_idx):
        images, targets = batch
        scores, labels = self(images), torch.stack([t["labels"] for t in targets])
        self.log("val_loss", nn.functional.cross_entropy(scores, labels), batch_size=len(images))
        self.log("val_accuracy", (scores.argmax(1) == labels).float().mean(), batch_size=len(images))

    def configure_optimizers(self):
        params = [p for p in self.parameters() if p.requires_grad]
        return torch.optim.SGD(params, lr=0.05, momentum=0.9, weight_decay=0.0005)


if __name__ == "__main__":
    pl.seed_everything(9)
    train_loader = DataLoader(PictureDataset("train"), batch_size=20, shuffle=True, collate_fn=collate_fn)
    val_loader = DataLoader(PictureDataset("valid"), batch_size=20, collate_fn=collate_fn)
    trainer = pl.Trainer(max_epochs=3, callbacks=[ModelCheckpoint(monitor="val_loss")], enable_progress_bar=False)
    trainer.fit(Recognizer(), train_loader, val_loader)
