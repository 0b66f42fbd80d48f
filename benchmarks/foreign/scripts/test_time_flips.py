import lightning.pytorch as pl
import numpy as np
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset


class CFG:
    folder = "dataset/prepdata/v1"
    seed, lr, batch_size, n_epochs = 2022, 1e-2, 24, 2


class SegModel(pl.LightningModule):
    def __init__(self, cfg=CFG):
        super().__init__()
        self.cfg = cfg
        self.model = nn.Sequential(nn.Conv2d(1, 12, 5, padding=2), nn.ReLU(), nn.Conv2d(12, 1, 3, padding=1))
        self.val_outputs = []

    def forward(self, image):
        return self.model(image)

    def training_step(self, batch, _):
        image, mask = batch
        return F.binary_cross_entropy_with_logits(self(image), mask)

    def tta(self, image):
        flips = [[], [-1], [-2]]
        return torch.stack([self(image.flip(dims)).flip(dims) for dims in flips]).mean(0)

    def validation_step(self, batch, _):
        image, mask = batch
        pred = self.tta(image)
        loss = F.binary_cross_entropy_with_logits(pred, mask)
        self.val_outputs.append({"loss": loss, "pred": (pred.sigmoid() > 0.5).cpu(), "mask": mask.cpu()})
        return loss

    def on_validation_epoch_end(self):
        outputs, self.val_outputs = self.val_outputs, []
        pred, mask = torch.cat([o["pred"] for o in outputs]), torch.cat([o["mask"] for o in outputs]) > 0
        inter, union = (pred & mask).sum((1, 2, 3)), (pred | mask).sum((1, 2, 3))
        self.log("val_loss", torch.stack([o["loss"] for o in outputs]).mean())
        self.log("val_iou", (inter / union.clamp(min=1)).mean())

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=self.cfg.lr)


def get_dataloader(stage):
    data = np.load(f"{CFG.folder}/{stage}/data.npz")
    images, masks = torch.from_numpy(data["image"]), torch.from_numpy(data["mask"])
    dataset = TensorDataset(images.unsqueeze(1), (masks == 1).float().unsqueeze(1))
    return DataLoader(dataset, CFG.batch_size, shuffle=stage == "train")


if __name__ == "__main__":
    pl.seed_everything(CFG.seed)
    checkpoint = ModelCheckpoint(monitor="val_iou", mode="max")
    trainer = pl.Trainer(max_epochs=CFG.n_epochs, callbacks=[checkpoint], enable_progress_bar=False)
    trainer.fit(SegModel(), get_dataloader("train"), get_dataloader("valid"))
